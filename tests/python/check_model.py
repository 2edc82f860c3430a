"""Checks an exported model with code that is not ours: onnx.checker and ONNX Runtime, golden inputs made here."""

import base64
import json
import sys

import numpy
import onnx
import onnxruntime


def splitmix64_uniform(seed, shape, low, high):
    """The generator of the model card, written from its description alone."""
    mask = (1 << 64) - 1
    gamma = 0x9E3779B97F4A7C15
    values = []
    for i in range(int(numpy.prod(shape))):
        z = (seed + i * gamma + gamma) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        values.append(low + (high - low) * (z >> 40) / 2**24)
    return numpy.array(values, dtype=numpy.float32).reshape(shape)


def main(path):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    card = json.loads({entry.key: entry.value for entry in model.metadata_props}["selfie.card"])

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    batches = []
    for golden in card["golden"]:
        made = golden["input"]
        assert made["generator"] == "splitmix64-uniform", made
        images = splitmix64_uniform(made["seed"], made["shape"], made["low"], made["high"])
        if card["input"]["dtype"] == "u8":
            images = images.astype(numpy.uint8)
        names = list(golden["outputs"])
        for name, found in zip(names, session.run(names, {card["input"]["name"]: images})):
            expected = golden["outputs"][name]
            values = numpy.frombuffer(base64.b64decode(expected["data"]), dtype="<f4").reshape(expected["shape"])
            assert found.shape == values.shape, (name, found.shape, values.shape)
            error = float(numpy.abs(found - values).max())
            assert error <= golden["tolerance"], (name, error)
            worst = max(worst, error)
        batches.append(images.shape[0])
    print(json.dumps({"batches": batches, "largest_error": worst, "opset": model.opset_import[0].version}))


main(sys.argv[1])
