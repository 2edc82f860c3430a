"""Checks models with code that is not ours. Each folder holds model.onnx and one case, as ONNX's own tests do.

The checker and the strict shape inference of onnx take every model; ONNX Runtime and, where it has every operator, the
reference evaluator of onnx give the expected numbers.
"""

import pathlib
import sys

import numpy
import onnx
import onnx.reference
import onnxruntime

TOLERANCE = 1e-4


def tensors(folder, kind):
    paths = sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    return [onnx.numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes())) for path in paths]


def compare(name, found, expected):
    assert len(found) == len(expected), (name, len(found), len(expected))
    for index, (a, b) in enumerate(zip(found, expected)):
        a = numpy.asarray(a)
        assert a.shape == b.shape, (name, index, a.shape, b.shape)
        assert numpy.allclose(a, b, atol=TOLERANCE, rtol=TOLERANCE), (name, index, numpy.abs(a - b).max())


def check(folder):
    """Returns what the reference evaluator says, if it cannot run the model."""
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    data = folder / "test_data_set_0"
    feeds = dict(zip([value.name for value in model.graph.input], tensors(data, "input")))
    expected = tensors(data, "output")

    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    compare("ONNX Runtime", session.run(None, feeds), expected)
    try:
        evaluator = onnx.reference.ReferenceEvaluator(model)
        found = evaluator.run(None, feeds)
    except (NotImplementedError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    compare("the reference evaluator", found, expected)
    return None


def main(root):
    folders = sorted(pathlib.Path(root).iterdir())
    wrong, skipped = [], []
    for folder in folders:
        try:
            reason = check(folder)
        except Exception as error:
            wrong.append(f"{folder.name}: {type(error).__name__}: {error}")
            continue
        if reason:
            skipped.append(f"{folder.name}: the reference evaluator cannot run it: {reason}")
    print("\n".join(skipped + wrong))
    print(f"{len(folders)} models, {len(skipped)} without the reference evaluator, {len(wrong)} wrong")
    sys.exit(1 if wrong or not folders else 0)


main(sys.argv[1])
