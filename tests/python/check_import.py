"""Published weights without PyTorch: makes the files that it writes, and computes the network from its definition.

    check_import.py make FOLDER             FOLDER/weights.safetensors, FOLDER/checkpoint.pth, FOLDER/labels.txt
    check_import.py compare FOLDER MODEL    MODEL in ONNX Runtime against the definition: {"logits": ERROR, "embedding": ERROR}

The network is torchvision's ResNet-50 in narrow, v1.5, as ONNX operators that ONNX's reference evaluator computes.
"""

import collections
import io
import json
import math
import pickle
import struct
import sys
import types
import zipfile
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

DEPTHS, WIDTH, CLASSES, SIDE = (3, 4, 6, 3), 4, 6, 64
STRIDES = (1, 2, 2, 2)


def state_dict(seed=11):
    """Random weights and running statistics under torchvision's names."""
    random = numpy.random.default_rng(seed)
    weights = {}

    def conv(name, outputs, inputs, kernel):
        spread = math.sqrt(2 / (outputs * kernel * kernel))
        weights[f"{name}.weight"] = random.normal(0, spread, (outputs, inputs, kernel, kernel)).astype("f4")

    def norm(name, channels, scale=1.0):
        weights[f"{name}.weight"] = (scale * random.uniform(0.5, 1.5, channels)).astype("f4")
        weights[f"{name}.bias"] = random.normal(0, 0.2, channels).astype("f4")
        weights[f"{name}.running_mean"] = random.normal(0, 0.2, channels).astype("f4")
        weights[f"{name}.running_var"] = random.uniform(0.5, 1.5, channels).astype("f4")
        weights[f"{name}.num_batches_tracked"] = numpy.array(1234, dtype="i8")

    conv("conv1", WIDTH, 3, 7)
    norm("bn1", WIDTH)
    inputs = WIDTH
    for group, depth in enumerate(DEPTHS):
        width = WIDTH << group
        for block in range(depth):
            name = f"layer{group + 1}.{block}"
            conv(f"{name}.conv1", width, inputs, 1)
            norm(f"{name}.bn1", width)
            conv(f"{name}.conv2", width, width, 3)
            norm(f"{name}.bn2", width)
            conv(f"{name}.conv3", 4 * width, width, 1)
            norm(f"{name}.bn3", 4 * width, 0.3)
            if block == 0:
                conv(f"{name}.downsample.0", 4 * width, inputs, 1)
                norm(f"{name}.downsample.1", 4 * width)
            inputs = 4 * width
    weights["fc.weight"] = random.normal(0, 1 / math.sqrt(inputs), (CLASSES, inputs)).astype("f4")
    weights["fc.bias"] = random.normal(0, 0.2, CLASSES).astype("f4")
    return weights


def definition(weights):
    """The network as ONNX operators, one for one from its description."""
    nodes = []

    def node(operator, inputs, name, **attributes):
        nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def conv(x, name, kernel, stride=1):
        pad = kernel // 2
        shape = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
        return node("Conv", [x, f"{name}.weight"], name, **shape)

    def norm(x, name):
        parts = [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        return node("BatchNormalization", [x, *parts], name, epsilon=1e-5)

    def relu(x):
        return node("Relu", [x], f"{x}.relu")

    x = relu(norm(conv("images", "conv1", 7, 2), "bn1"))
    x = node("MaxPool", [x], "maxpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for group, depth in enumerate(DEPTHS):
        for block in range(depth):
            name = f"layer{group + 1}.{block}"
            stride = STRIDES[group] if block == 0 else 1
            y = relu(norm(conv(x, f"{name}.conv1", 1), f"{name}.bn1"))
            y = relu(norm(conv(y, f"{name}.conv2", 3, stride), f"{name}.bn2"))
            y = norm(conv(y, f"{name}.conv3", 1), f"{name}.bn3")
            if block == 0:
                x = norm(conv(x, f"{name}.downsample.0", 1, stride), f"{name}.downsample.1")
            x = relu(node("Add", [y, x], f"{name}.sum"))
    x = node("GlobalAveragePool", [x], "avgpool")
    embedding = node("Flatten", [x], "embedding")
    node("Gemm", [embedding, "fc.weight", "fc.bias"], "logits", transB=1)

    tensor = helper.make_tensor_value_info
    outputs = [tensor(name, onnx.TensorProto.FLOAT, None) for name in ("embedding", "logits")]
    used = {name for one in nodes for name in one.input}
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items() if name in used]
    images = tensor("images", onnx.TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    graph = helper.make_graph(nodes, "resnet", [images], outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_safetensors(path, weights):
    """The format in full: length of the header, header, numbers."""
    names, header, place = {"f4": "F32", "i8": "I64"}, {}, 0
    for name, value in weights.items():
        end = place + value.nbytes
        header[name] = {"dtype": names[value.dtype.str[1:]], "shape": value.shape, "data_offsets": [place, end]}
        place = end
    text = json.dumps(header).encode()
    numbers = b"".join(value.tobytes() for value in weights.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)


def python_global(module, name):
    """A stand-in for something of PyTorch's that a pickle names."""
    thing = type(name, (), {"__module__": module})
    setattr(sys.modules.setdefault(module, types.ModuleType(module)), name, thing)
    return thing


class Tensor:
    """Pickles as PyTorch's tensors do."""

    def __init__(self, key, value, storage, rebuild):
        self.key, self.value, self.storage, self.rebuild = key, value, storage, rebuild

    def __reduce__(self):
        strides = tuple(stride // self.value.itemsize for stride in self.value.strides)
        place = ("storage", self.storage, self.key, "cpu", self.value.size)
        return self.rebuild, (Place(place), 0, self.value.shape, strides, False, collections.OrderedDict())


class Place(tuple):
    """A storage, which a pickle names instead of holding it."""

    def __new__(cls, fields):
        return super().__new__(cls, fields)


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        return tuple(thing) if isinstance(thing, Place) else None


def write_checkpoint(path, weights):
    """What `torch.save` writes of a training that was wrapped: {"epoch": .., "state_dict": {"module.conv1.weight": ..}}."""
    storages = {"f4": python_global("torch", "FloatStorage"), "i8": python_global("torch", "LongStorage")}
    rebuild = python_global("torch._utils", "_rebuild_tensor_v2")
    tensors = collections.OrderedDict(
        (f"module.{name}", Tensor(str(key), value, storages[value.dtype.str[1:]], rebuild))
        for key, (name, value) in enumerate(weights.items())
    )
    data = io.BytesIO()
    Pickler(data, protocol=2).dump({"epoch": 90, "state_dict": tensors})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("checkpoint/data.pkl", data.getvalue())
        archive.writestr("checkpoint/byteorder", "little")
        for tensor in tensors.values():
            archive.writestr(f"checkpoint/data/{tensor.key}", tensor.value.tobytes())
        archive.writestr("checkpoint/version", "3\n")


def make(folder):
    weights = state_dict()
    write_safetensors(folder / "weights.safetensors", weights)
    write_checkpoint(folder / "checkpoint.pth", weights)
    (folder / "labels.txt").write_text("".join(f"label {index}\n" for index in range(CLASSES)))


def compare(model):
    images = numpy.random.default_rng(5).normal(0, 1, (2, 3, SIDE, SIDE)).astype("f4")
    names = ["logits", "embedding"]
    expected = ReferenceEvaluator(definition(state_dict())).run(names, {"images": images})
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found = session.run(names, {session.get_inputs()[0].name: images})
    for name, ours, right in zip(names, found, expected):
        assert ours.shape == right.shape, (name, ours.shape, right.shape)
        assert right.std() > 0.1, (name, "says nothing about the network")
    print(json.dumps({name: float(abs(ours - right).max()) for name, ours, right in zip(names, found, expected)}))


if sys.argv[1] == "make":
    make(Path(sys.argv[2]))
else:
    compare(sys.argv[3])
