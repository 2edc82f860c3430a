"""Checks models with code that is not ours. Each folder holds model.onnx and one case, as ONNX's own tests do.

The checker and the strict shape inference of onnx take every model; ONNX Runtime and the reference evaluator of onnx
give the expected numbers.
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


def beyond_the_evaluator(model):
    """Why the reference evaluator would give other numbers than the standard asks for, if it would."""
    if model.opset_import[0].version < 14 and any(node.op_type == "BatchNormalization" for node in model.graph.node):
        return "before opset 14 it normalises by the statistics of the batch, not by the running ones"
    return None


def check(folder):
    """Returns why the reference evaluator is left out, if it is."""
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    data = folder / "test_data_set_0"
    feeds = dict(zip([value.name for value in model.graph.input], tensors(data, "input")))
    expected = tensors(data, "output")

    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    compare("ONNX Runtime", session.run(None, feeds), expected)
    if reason := beyond_the_evaluator(model):
        return reason
    found = onnx.reference.ReferenceEvaluator(model).run(None, feeds)
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
            skipped.append(f"{folder.name}: without the reference evaluator: {reason}")
    print("\n".join(skipped + wrong))
    print(f"{len(folders)} models, {len(skipped)} without the reference evaluator, {len(wrong)} wrong")
    sys.exit(1 if wrong or not folders else 0)


main(sys.argv[1])
