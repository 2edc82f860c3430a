"""Runs one Python adapter: `adapter.py ADAPTER MODEL CARD WORK` prints one line of JSON.

An adapter is a module with `version()` and `load(path, work)`, which gives a function from a batch of images to the
outputs by name. `FIXED_BATCH = True` in it asks for a file of its own for every batch size.
"""

import base64
import importlib
import json
import os
import sys

import numpy

U64 = numpy.uint64


def unpack(tensor):
    """Little-endian floats in base64."""
    return numpy.frombuffer(base64.b64decode(tensor["data"]), dtype="<f4").reshape(tensor["shape"])


def golden_input(made, dtype):
    """An input as it stands, or by the generator of the model card."""
    if "data" in made:
        return unpack(made)
    with numpy.errstate(over="ignore"):
        gamma = U64(0x9E3779B97F4A7C15)
        z = U64(made["seed"]) + numpy.arange(1, numpy.prod(made["shape"]) + 1, dtype=U64) * gamma
        z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
        z ^= z >> U64(31)
    values = made["low"] + (made["high"] - made["low"]) * ((z >> U64(40)) / 2**24)
    return values.reshape(made["shape"]).astype({"f32": numpy.float32, "u8": numpy.uint8}[dtype])


def with_shape(path, shape, work):
    """The file that the compiler fixed to this batch size, or a copy of another one with the sizes written in."""
    batch = shape[0]
    compiled = path.replace(".onnx", f"-batch-{batch}.onnx")
    if os.path.exists(compiled):
        return compiled
    import onnx

    model = onnx.load(path)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    sizes = {dim.dim_param: size for dim, size in zip(dims, shape) if dim.dim_param}
    for value in [*model.graph.input, *model.graph.output]:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in sizes:
                dim.dim_value = sizes[dim.dim_param]
    fixed = os.path.join(work, f"batch-{batch}.onnx")
    onnx.save(model, fixed)
    return fixed


def errors(run, golden, card):
    """The largest absolute difference of every output."""
    found = run(golden_input(golden["input"], card["input"]["dtype"]))
    differences = {}
    for name, expected in golden["outputs"].items():
        values = unpack(expected)
        output = numpy.asarray(found[name])
        assert output.shape == values.shape, f"{name} has the shape {output.shape}, expected {values.shape}"
        difference = float(numpy.abs(output - values).max())
        assert numpy.isfinite(difference), f"{name} holds numbers that are not finite"
        differences[name] = difference
    return differences


def words(error):
    """What a runtime says."""
    return f"{type(error).__name__}: {error}"


def main(name, path, card_path, work):
    with open(card_path, encoding="utf-8") as file:
        card = json.load(file)
    adapter = importlib.import_module(name)
    fixed = getattr(adapter, "FIXED_BATCH", False)
    samples, run = {}, None
    for index, golden in enumerate(card["golden"]):
        shape = golden["input"]["shape"]
        try:
            if fixed:
                run = adapter.load(with_shape(path, shape, work), work)
            elif run is None:
                run = adapter.load(path, work)
            samples[index] = errors(run, golden, card)
        except Exception as error:  # A runtime may raise anything; what it says is the result.
            samples[index] = words(error)
    print("\n" + json.dumps({"version": adapter.version(), "fixed": fixed, "samples": samples}))


if __name__ == "__main__":
    main(*sys.argv[1:])
