"""Writes models that no runtime can bear, out of one that is good.

    make_hostile.py MODEL GREEDY ENDLESS

GREEDY asks for 4 TiB of memory, ENDLESS has a loop that never ends. Both have the inputs, outputs and card of MODEL. Needs `onnx`.
"""

import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def constant(name, *values, dtype=numpy.int64):
    return numpy_helper.from_array(numpy.array(values, dtype), name)


def greedy(graph):
    """A constant of 2^20 x 2^20 numbers, of which the largest is 0."""
    graph.initializer.append(constant("sides", 1 << 20, 1 << 20))
    graph.node.append(helper.make_node("ConstantOfShape", ["sides"], ["vast"]))
    graph.node.append(helper.make_node("ReduceMax", ["vast"], ["nothing"], keepdims=0))


def endless(graph):
    """A loop whose condition stays true and that has no last step. It adds the input's first numbers so that nobody can reckon it before."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Mul", ["state", "half"], ["next"])],
        "body",
        [value("step", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("state", TensorProto.FLOAT, [])],
        [value("go_on", TensorProto.BOOL, []), value("next", TensorProto.FLOAT, [])],
    )
    graph.initializer.append(numpy_helper.from_array(numpy.array(0.5, numpy.float32), "half"))
    graph.initializer.append(numpy_helper.from_array(numpy.array(True), "always"))
    graph.node.append(helper.make_node("ReduceSum", [graph.input[0].name], ["begin"], keepdims=0))
    graph.node.append(helper.make_node("Loop", ["", "always", "begin"], ["nothing"], body=body))


def write(model, path, spoil):
    """Adds what `spoil` calls "nothing" to the first output."""
    model = onnx.load(model)
    graph = model.graph
    name = graph.output[0].name
    for node in graph.node:
        for index, output in enumerate(node.output):
            if output == name:
                node.output[index] = "good"
        for index, input in enumerate(node.input):
            if input == name:
                node.input[index] = "good"
    spoil(graph)
    graph.node.append(helper.make_node("Add", ["good", "nothing"], [name]))
    # The digest of the file before.
    for entry in [entry for entry in model.metadata_props if entry.key == "selfie.sha256"]:
        model.metadata_props.remove(entry)
    onnx.save(model, path)


if __name__ == "__main__":
    model, *paths = sys.argv[1:]
    for path, spoil in zip(paths, [greedy, endless], strict=True):
        write(model, path, spoil)
