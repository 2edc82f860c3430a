"""Runs operators in the reference evaluator of onnx. Each folder holds model.onnx, cases as ONNX's own tests have them,
and about.json with the name, the opset and the operations of Burn.

Prints a list of verdicts as JSON. A case is skipped where the evaluator lacks an operator or has a known fault.
"""

import collections
import json
import pathlib
import sys
import warnings

import numpy
import onnx
import onnx.reference

TOLERANCE = 1e-5


def grouped(model):
    nodes = [node for node in model.graph.node if node.op_type == "ConvTranspose"]
    return any(attribute.name == "group" and attribute.i > 1 for node in nodes for attribute in node.attribute)


def normalises_before_opset_14(model):
    return model.opset_import[0].version < 14 and any(node.op_type == "BatchNormalization" for node in model.graph.node)


# What the evaluator computes otherwise than the standard says, and ONNX Runtime as the standard says.
KNOWN_FAULTS = [
    (grouped, "its grouped ConvTranspose cuts the weights by output channels, where the standard has input channels"),
    (normalises_before_opset_14, "before opset 14 it normalises by the statistics of the batch, not by the running ones"),
]


def tensors(folder, kind):
    paths = sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    return [onnx.numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes())) for path in paths]


def difference(output, found, expected):
    """In what a tensor differs from the type that the model declares or the numbers that Burn gives, if it does. Burn's
    own integers may have another width."""
    found = numpy.asarray(found)
    declared = onnx.helper.tensor_dtype_to_np_dtype(output.type.tensor_type.elem_type)
    if (found.dtype, found.shape) != (declared, expected.shape):
        return f"{found.dtype}{list(found.shape)} instead of {declared}{list(expected.shape)}"
    if numpy.allclose(found, expected, atol=TOLERANCE, rtol=TOLERANCE, equal_nan=True):
        return None
    return f"off by {numpy.nanmax(numpy.abs(found.astype(float) - expected.astype(float))):.1e}"


def check(folder):
    """Returns why the case is skipped, and what is wrong with it."""
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    for applies, reason in KNOWN_FAULTS:
        if applies(model):
            return reason, None
    try:
        evaluator = onnx.reference.ReferenceEvaluator(model)
    except NotImplementedError as error:
        return f"not implemented by the evaluator: {error}", None
    for data in sorted(folder.glob("test_data_set_*")):
        feeds = dict(zip([value.name for value in model.graph.input], tensors(data, "input")))
        found, expected = evaluator.run(None, feeds), tensors(data, "output")
        for value, a, b in zip(model.graph.output, found, expected, strict=True):
            if wrong := difference(value, a, b):
                return None, f"`{value.name}`: {wrong}"
    return None, None


def main(root):
    warnings.simplefilter("ignore")
    verdicts = []
    for folder in sorted(pathlib.Path(root).iterdir()):
        try:
            skipped, wrong = check(folder)
        except Exception as error:
            skipped, wrong = None, f"{type(error).__name__}: {error}"
        verdicts.append({**json.loads((folder / "about.json").read_text()), "skipped": skipped, "wrong": wrong})
    reasons = collections.Counter(verdict["skipped"] for verdict in verdicts if verdict["skipped"])
    for reason, count in reasons.most_common():
        print(f"{count} skipped: {reason}", file=sys.stderr)
    wrong = sum(verdict["wrong"] is not None for verdict in verdicts)
    print(f"{len(verdicts)} cases, {reasons.total()} skipped, {wrong} wrong", file=sys.stderr)
    print(json.dumps(verdicts))


main(sys.argv[1])
