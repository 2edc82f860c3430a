"""Writes models that are not ours, made with onnx.helper, and what they must answer, by numpy.

- store/colours/1: a classifier as Hugging Face's exporter writes one, all axes of the input open, with its two files beside
- store/sums/1: vectors from bytes, channels last, nothing beside
- store/first/1, mean17/1, mean18/1: a vector for each of four patches, as ViT gives them, by two versions of the operators
- store/places/1: a map with a vector for each place
- store/squeeze/1: scores of classes as a map of one place, as SqueezeNet gives them, with timm's file beside
- other: files that cannot be served

Arguments: the folder to write into.
"""

import json
import pathlib
import sys

import numpy
import onnx
import PIL.Image
from onnx import TensorProto, helper, numpy_helper

MEAN, STD = numpy.float32([0.5, 0.4, 0.3]), numpy.float32([0.2, 0.25, 0.5])
LABELS = ["red", "green", "blue", "grey"]


def save(path, nodes, inputs, outputs, weights, opset=17):
    tensor = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", [tensor(*one) for one in inputs], [tensor(*one) for one in outputs], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def colours(folder, random):
    """Mean of each channel, then a matrix; hidden states as a second output, which cannot be served."""
    weight = random.standard_normal((3, len(LABELS))).astype(numpy.float32)
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["logits"]),
        helper.make_node("Identity", ["pixel_values"], ["last_hidden_state"]),
    ]
    axes = ["batch_size", "num_channels", "height", "width"]
    outputs = [("last_hidden_state", TensorProto.FLOAT, axes), ("logits", TensorProto.FLOAT, ["batch_size", len(LABELS)])]
    path = folder / "store/colours/1/model.onnx"
    save(path, nodes, [("pixel_values", TensorProto.FLOAT, axes)], outputs, {"weight": weight})
    steps = {"do_resize": True, "size": {"shortest_edge": 12}, "resample": 3, "do_center_crop": True}
    steps |= {"crop_size": {"height": 8, "width": 8}, "do_normalize": True}
    steps |= {"image_mean": MEAN.tolist(), "image_std": STD.tolist()}
    path.with_name("preprocessor_config.json").write_text(json.dumps(steps))
    names = {str(index): label for index, label in enumerate(LABELS)}
    path.with_name("config.json").write_text(json.dumps({"model_type": "resnet", "id2label": names}))

    def answer(pixels):
        cut = pixels[2:10, 4:12].astype(numpy.float32) / 255
        return ((cut - MEAN) / STD).mean(axis=(0, 1)) @ weight

    return answer


def sums(folder):
    """Bytes, channels last: the sum over the rows of each column and channel."""
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats", "axis"], ["columns"], keepdims=0),
        helper.make_node("Flatten", ["columns"], ["out"]),
    ]
    inputs, outputs = [("image", TensorProto.UINT8, ["n", 12, 16, 3])], [("out", TensorProto.FLOAT, ["n", "width"])]
    save(folder / "store/sums/1/model.onnx", nodes, inputs, outputs, {"axis": numpy.int64([1])})
    return lambda pixels: pixels.astype(numpy.float32).sum(axis=0).reshape(-1)


PATCH, WIDTH = 4, 5
# What ONNX assumes, rten wants to be told.
STATED = {"dilations": [1, 1], "pads": [0, 0, 0, 0]}


def patches(folder, random, name, pool, opset=17):
    """A matrix for each patch of 4 x 4 pixels, a token each, and a map of them that is not to be taken."""
    weight = random.standard_normal((WIDTH, 3, PATCH, PATCH)).astype(numpy.float32)
    nodes = [
        helper.make_node("Conv", ["pixels", "weight"], ["places"], strides=[PATCH, PATCH], **STATED),
        helper.make_node("Reshape", ["places", "shape"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["last_hidden_state"], perm=[0, 2, 1]),
        # A name that the new output would have taken.
        helper.make_node("Identity", ["places"], ["embedding"]),
    ]
    inputs = [("pixels", TensorProto.FLOAT, ["batch", 3, 2 * PATCH, 2 * PATCH])]
    outputs = [("last_hidden_state", TensorProto.FLOAT, ["batch", 4, WIDTH]), ("places", TensorProto.FLOAT, ["batch", WIDTH, 2, 2])]
    weights = {"weight": weight, "shape": numpy.int64([0, WIDTH, 4])}
    save(folder / f"store/{name}/1/model.onnx", nodes, inputs, outputs[1:] if name == "places" else outputs, weights, opset)

    def answer(pixels):
        tokens = [numpy.tensordot(weight, pixels[:, y : y + PATCH, x : x + PATCH], 3) for y in (0, PATCH) for x in (0, PATCH)]
        return pool(numpy.stack(tokens))

    return answer


def squeeze(folder):
    """The mean of each channel, as a map of one place."""
    nodes = [helper.make_node("GlobalAveragePool", ["pixels"], ["softmaxout_1"])]
    shape = [("pixels", TensorProto.FLOAT, ["batch", 3, 2 * PATCH, 2 * PATCH])]
    save(folder / "store/squeeze/1/model.onnx", nodes, shape, [("softmaxout_1", TensorProto.FLOAT, ["batch", 3, 1, 1])], {})
    # As timm's models have it.
    steps = {"input_size": [3, 8, 8], "interpolation": "bicubic", "crop_pct": 0.8, "crop_mode": "center", "mean": [0.5] * 3, "std": [0.25] * 3}
    config = {"architecture": "squeeze", "pretrained_cfg": steps, "label_names": ["red", "green", "blue"]}
    (folder / "store/squeeze/1/config.json").write_text(json.dumps(config))
    return lambda pixels: pixels.mean(axis=(1, 2))


def unusable(folder):
    identity = [helper.make_node("Identity", ["x"], ["y"])]
    for name, kind, shape in [
        ("text", TensorProto.INT64, ["n", "tokens"]),
        ("flat", TensorProto.FLOAT, ["n", 3072]),
        ("map", TensorProto.FLOAT, ["n", 3, 8, 8]),
        ("open", TensorProto.FLOAT, ["n", 3, "height", "width"]),
    ]:
        save(folder / f"other/{name}.onnx", identity, [("x", kind, shape)], [("y", kind, shape)], {})


def main(folder):
    random = numpy.random.default_rng(3)
    answers = {"colours": colours(folder, random), "sums": sums(folder)}
    first, mean = lambda tokens: tokens[0], lambda tokens: tokens.mean(axis=0)
    tensors = {
        "first": patches(folder, random, "first", first),
        "mean17": patches(folder, random, "mean17", mean),
        "mean18": patches(folder, random, "mean18", mean, 18),
        "places": patches(folder, random, "places", mean),
        "squeeze": squeeze(folder),
    }
    unusable(folder)
    expected = {name: [] for name in answers}
    items = random.standard_normal((3, 3, 2 * PATCH, 2 * PATCH)).astype(numpy.float32)
    expected["tensors"] = {name: [answer(item).tolist() for item in items] for name, answer in tensors.items()}
    expected["items"] = items.reshape(-1).tolist()
    for index in range(3):
        # As high as the resize asks for, so that it changes nothing and the numbers are exact.
        pixels = random.integers(0, 256, (12, 16, 3), dtype=numpy.uint8)
        PIL.Image.fromarray(pixels).save(folder / f"{index}.png")
        for name, answer in answers.items():
            expected[name].append(answer(pixels).tolist())
    print(json.dumps(expected))


main(pathlib.Path(sys.argv[1]))
