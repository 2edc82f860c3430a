"""Writes the files of `export/tests/foreign`: ONNX as other tools write it, with what our compiler never writes.

    make_foreign.py FOLDER [torch|sklearn]

Needs `onnx`; the files of PyTorch and scikit-learn need these, and are made only when asked for.
"""

import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor, make_tensor_value_info

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
random = numpy.random.default_rng(7)


def weights(name, *shape):
    return numpy_helper.from_array(random.standard_normal(shape).astype(numpy.float32) * 0.3, name)


def integers(name, *values):
    return numpy_helper.from_array(numpy.array(values, numpy.int64), name)


def tensor(name, *shape):
    return make_tensor_value_info(name, FLOAT, shape)


def model(graph, opset=17, others=(), ir_version=8, **fields):
    return make_model(graph, opset_imports=[make_opsetid("", opset), *others], ir_version=ir_version, **fields)


def subgraphs():
    """A branch and a loop that read values around them, among them one behind an `Identity` that goes away."""
    inner = make_graph([make_node("Add", ["inner", "shared"], ["deep"])], "deep", [], [tensor("deep", None, 4)])
    then = make_graph(
        [
            make_node("Mul", ["shared", "scale"], ["inner"]),
            make_node("If", ["positive"], ["chosen"], then_branch=inner, else_branch=make_graph(
                [make_node("Identity", ["inner"], ["plain"])], "plain", [], [tensor("plain", None, 4)])),
        ],
        "then", [], [tensor("chosen", None, 4)],
    )
    other = make_graph([make_node("Neg", ["shared"], ["negated"])], "else", [], [tensor("negated", None, 4)])
    body = make_graph(
        [make_node("Add", ["state", "twice"], ["next"]), make_node("Identity", ["condition"], ["go_on"])],
        "body",
        [make_tensor_value_info("step", INT64, []), make_tensor_value_info("condition", BOOL, []), tensor("state", None, 4)],
        [make_tensor_value_info("go_on", BOOL, []), tensor("next", None, 4)],
    )
    nodes = [
        make_node("Identity", ["x"], ["same"]),
        make_node("Relu", ["same"], ["shared_first"]),
        make_node("Identity", ["shared_first"], ["shared"]),
        make_node("Relu", ["x"], ["twice"]),
        make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        make_node("Greater", ["sum", "zero"], ["positive"]),
        make_node("If", ["positive"], ["branched"], then_branch=then, else_branch=other),
        make_node("Loop", ["steps", "", "branched"], ["y"], body=body),
    ]
    constants = [weights("scale", 4), numpy_helper.from_array(numpy.float32(0), "zero"),
                 numpy_helper.from_array(numpy.int64(3), "steps")]
    return model(make_graph(nodes, "subgraphs", [tensor("x", "batch", 4)], [tensor("y", "batch", 4)], constants))


def functions():
    """A function of the model's own domain, and one that has the name of a standard operator."""
    twice = helper.make_function("local", "Twice", ["x"], ["y"], [make_node("Add", ["x", "x"], ["y"])], [make_opsetid("", 17)])
    relu = helper.make_function("local", "Relu", ["x"], ["y"], [make_node("Neg", ["x"], ["y"])], [make_opsetid("", 17)])
    nodes = [
        make_node("Relu", ["x"], ["a"], name="first"),
        make_node("Relu", ["x"], ["b"], name="second"),
        make_node("Add", ["a", "b"], ["c"], name="sum"),
        make_node("Twice", ["c"], ["d"], name="twice", domain="local"),
        make_node("Relu", ["d"], ["e"], name="negated", domain="local"),
        make_node("Identity", ["e"], ["y"], name="last"),
    ]
    graph = make_graph(nodes, "functions", [tensor("x", "batch", 3)], [tensor("y", "batch", 3)])
    return model(graph, others=[make_opsetid("local", 1)], functions=[twice, relu])


def contributed():
    """An operator of ONNX Runtime's own domain between two that fuse."""
    nodes = [
        make_node("MatMul", ["x", "w"], ["product"]),
        make_node("Add", ["product", "b"], ["sum"]),
        make_node("Gelu", ["sum"], ["activated"], domain="com.microsoft"),
        make_node("Cast", ["activated"], ["cast"], to=FLOAT),
        make_node("MatMul", ["cast", "v"], ["other"]),
        make_node("Add", ["c", "other"], ["y"]),
    ]
    constants = [weights("w", 6, 5), weights("b", 5), weights("v", 5, 4), weights("c", 4)]
    graph = make_graph(nodes, "contributed", [tensor("x", "batch", 6)], [tensor("y", "batch", 4)], constants,
                       value_info=[tensor("activated", "batch", 5)])
    return model(graph, others=[make_opsetid("com.microsoft", 1)])


def convolution():
    """A convolution and its normalisation, sizes without a name, numbers in typed fields, `Constant` nodes."""
    w = random.standard_normal((4, 3, 3, 3)).astype(numpy.float32)
    norm = [make_tensor(name, FLOAT, [4], values) for name, values in
            [("gamma", [1, 2, 0.5, 1.5]), ("beta", [0, 0.1, 0.2, 0.3]), ("mean", [0.1, 0, -0.1, 0]), ("var", [1, 2, 1, 0.5])]]
    nodes = [
        make_node("Constant", [], ["shape"], value=integers("", 0, -1)),
        make_node("Constant", [], ["axis"], value_ints=[-1]),
        make_node("Conv", ["x", "w"], ["conv"], pads=[1, 1, 1, 1], doc_string="a long story of where this came from"),
        make_node("BatchNormalization", ["conv", "gamma", "beta", "mean", "var"], ["norm"], epsilon=1e-3),
        make_node("Dropout", ["norm"], ["kept"]),
        make_node("Relu", ["kept"], ["relu"]),
        make_node("Reshape", ["relu", "shape"], ["flat"]),
        make_node("Unsqueeze", ["flat", "axis"], ["wide"]),
        make_node("Squeeze", ["wide", "axis"], ["y"]),
    ]
    constants = [make_tensor("w", FLOAT, [4, 3, 3, 3], w.flatten().tolist()), *norm]
    return model(make_graph(nodes, "convolution", [tensor("x", None, 3, 6, 6)], [tensor("y", None, 144)], constants))


def replaceable():
    """An initialiser that is an input too, so that a caller may replace it, and one that is an output."""
    nodes = [
        make_node("MatMul", ["x", "w"], ["product"]),
        make_node("Add", ["product", "bias"], ["y"]),
        make_node("Add", ["one", "two"], ["three"]),
        make_node("Add", ["y", "three"], ["z"]),
    ]
    constants = [weights("w", 4, 4), weights("bias", 4), weights("one", 4), weights("two", 4), weights("returned", 2)]
    inputs = [tensor("x", "batch", 4), tensor("bias", 4), tensor("two", 4)]
    outputs = [tensor("y", "batch", 4), tensor("z", "batch", 4), tensor("returned", 2)]
    return model(make_graph(nodes, "replaceable", inputs, outputs, constants))


def sequences():
    """Values that are no tensors, and outputs without a name."""
    nodes = [
        make_node("SplitToSequence", ["x"], ["parts"], axis=1),
        make_node("ConcatFromSequence", ["parts"], ["joined"], axis=1),
        make_node("LSTM", ["joined", "w", "r"], ["", "hidden"], hidden_size=3),
        make_node("Transpose", ["hidden"], ["turned"], perm=[1, 0, 2]),
        make_node("Transpose", ["turned"], ["back"], perm=[1, 0, 2]),
        make_node("TopK", ["back", "k"], ["y", "unread"]),
    ]
    constants = [weights("w", 1, 12, 4), weights("r", 1, 12, 3), integers("k", 2)]
    return model(make_graph(nodes, "sequences", [tensor("x", 2, 5, 4)], [tensor("y", 1, 5, 2)], constants,
                            value_info=[tensor("hidden", 1, 5, 3)]))


def quantised():
    """8-bit weights, which must stay so."""
    scale = numpy_helper.from_array(numpy.float32(0.02), "scale")
    zero = numpy_helper.from_array(numpy.int8(0), "zero")
    w = numpy_helper.from_array(random.integers(-100, 100, (8, 8)).astype(numpy.int8), "w")
    b = numpy_helper.from_array(random.integers(-100, 100, 8).astype(numpy.int32), "b")
    nodes = [
        make_node("QuantizeLinear", ["x", "scale", "zero"], ["x8"]),
        make_node("DequantizeLinear", ["x8", "scale", "zero"], ["x32"]),
        make_node("DequantizeLinear", ["w", "scale", "zero"], ["w32"]),
        make_node("DequantizeLinear", ["b", "scale"], ["b32"]),
        make_node("Gemm", ["x32", "w32", "b32"], ["y"]),
    ]
    return model(make_graph(nodes, "quantised", [tensor("x", "batch", 8)], [tensor("y", "batch", 8)], [scale, zero, w, b]))


def zero_sizes():
    """A `Reshape` in which 0 is a size and not a copy."""
    nodes = [
        make_node("Reshape", ["x", "flat"], ["a"]),
        make_node("Reshape", ["a", "none"], ["empty"], allowzero=1),
        make_node("Concat", ["empty", "row"], ["y"], axis=0),
    ]
    constants = [integers("flat", 0, 1, 2), integers("none", 0, 3), weights("row", 2, 3)]
    return model(make_graph(nodes, "zero_sizes", [tensor("x", 0, 2)], [tensor("y", 2, 3)], constants))


def random_numbers():
    """Random numbers of a constant shape."""
    nodes = [make_node("RandomNormalLike", ["w"], ["noise"]), make_node("Mul", ["noise", "zero"], ["nothing"]),
             make_node("Add", ["x", "nothing"], ["y"])]
    constants = [weights("w", 4), numpy_helper.from_array(numpy.zeros(4, numpy.float32), "zero")]
    return model(make_graph(nodes, "random", [tensor("x", "batch", 4)], [tensor("y", "batch", 4)], constants,
                            value_info=[tensor("noise", 4)]))


def external(folder):
    """Weights in another file."""
    nodes = [make_node("MatMul", ["x", "w"], ["product"]), make_node("Add", ["product", "b"], ["y"])]
    constants = [weights("w", 16, 8), weights("b", 8)]
    made = model(make_graph(nodes, "external", [tensor("x", "batch", 16)], [tensor("y", "batch", 8)], constants))
    (folder / "external.weights").unlink(missing_ok=True)
    onnx.save(made, folder / "external.onnx", save_as_external_data=True, location="external.weights", size_threshold=0)


def opset_7():
    """Operators with attributes that are inputs now, in a format where every weight is an input."""
    nodes = [
        make_node("Pad", ["x", ], ["padded"], pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.5),
        make_node("Conv", ["padded", "w"], ["conv"], kernel_shape=[3, 3]),
        make_node("BatchNormalization", ["conv", "gamma", "beta", "mean", "var"], ["norm"], spatial=1),
        make_node("Clip", ["norm"], ["clipped"], min=0.0, max=6.0),
        make_node("Dropout", ["clipped"], ["kept", "mask"], ratio=0.4),
        make_node("Upsample", ["kept"], ["large"], scales=[1.0, 1.0, 2.0, 3.0]),
        make_node("Upsample", ["kept"], ["smooth"], scales=[1.0, 1.0, 2.0, 2.0], mode="linear"),
        make_node("Slice", ["large"], ["part"], axes=[2, 3], starts=[1, -4], ends=[7, 1000]),
        make_node("ReduceSum", ["part"], ["sums"], axes=[2, 3], keepdims=0),
        make_node("Unsqueeze", ["sums"], ["wide"], axes=[0, 3]),
        make_node("Squeeze", ["wide"], ["flat"], axes=[0, 3]),
        make_node("Softmax", ["flat"], ["classes"], axis=1),
        make_node("LogSoftmax", ["part"], ["all"]),
        make_node("Hardmax", ["part"], ["rows"], axis=3),
        make_node("TopK", ["flat"], ["most", "places"], k=2),
        make_node("Split", ["smooth"], ["left", "right"], axis=1, split=[1, 3]),
    ]
    channels = [("gamma", [1, 2, 0.5, 1.5]), ("beta", [0, 0.1, 0.2, 0.3]), ("mean", [0.1, 0, -0.1, 0]), ("var", [1, 2, 1, 0.5])]
    constants = [weights("w", 4, 3, 3, 3), *(make_tensor(name, FLOAT, [4], values) for name, values in channels)]
    inputs = [tensor("x", "batch", 3, 4, 4), tensor("w", 4, 3, 3, 3), *(tensor(name, 4) for name, _ in channels)]
    outputs = [tensor("classes", "batch", 4), tensor("all", "batch", 4, 6, 4), tensor("rows", "batch", 4, 6, 4),
               tensor("most", "batch", 2), make_tensor_value_info("places", INT64, ["batch", 2]),
               tensor("left", "batch", 1, 8, 8), tensor("right", "batch", 3, 8, 8)]
    return model(make_graph(nodes, "old", inputs, outputs, constants), opset=7, ir_version=3)


def opset_10():
    """Sizes of images, a scatter, and older operators in a branch."""
    then = make_graph([make_node("Unsqueeze", ["means"], ["up"], axes=[0]), make_node("Squeeze", ["up"], ["chosen"], axes=[0])],
                      "then", [], [tensor("chosen", None, 3)])
    other = make_graph([make_node("Softmax", ["means"], ["soft"], axis=0)], "else", [], [tensor("soft", None, 3)])
    scales = [numpy_helper.from_array(numpy.array(values, numpy.float32), name) for name, values in
              [("twice", [1, 1, 2, 1.5]), ("half", [1, 1, 0.5, 0.7])]]
    nodes = [
        make_node("Resize", ["x", "twice"], ["large"]),
        make_node("Resize", ["x", "half"], ["small"], mode="nearest"),
        make_node("Resize", ["x", "half"], ["smooth"], mode="linear"),
        make_node("Scatter", ["large", "index", "number"], ["scattered"], axis=3),
        make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0),
        make_node("ReduceMax", ["means"], ["largest"], keepdims=0),
        make_node("Greater", ["largest", "zero"], ["positive"]),
        make_node("If", ["positive"], ["branched"], then_branch=then, else_branch=other),
        make_node("Softmax", ["small"], ["pixels"], axis=2),
    ]
    constants = [*scales, numpy_helper.from_array(numpy.zeros((1, 1, 1, 1), numpy.int64), "index"),
                 numpy_helper.from_array(numpy.full((1, 1, 1, 1), 9, numpy.float32), "number"),
                 numpy_helper.from_array(numpy.float32(0), "zero")]
    outputs = [tensor("scattered", "batch", 3, 10, 9), tensor("smooth", "batch", 3, 2, 4), tensor("branched", "batch", 3),
               tensor("pixels", "batch", 3, 2, 4)]
    return model(make_graph(nodes, "old", [tensor("x", "batch", 3, 5, 6)], outputs, constants), opset=10, ir_version=5)


def opset_12():
    graph = make_graph([make_node("Softmax", ["x"], ["y"])], "old", [tensor("x", 2, 3, 4)], [tensor("y", 2, 3, 4)])
    return model(graph, opset=12)


def without_paths(path):
    """Takes out where on this machine the code of a model stands."""
    made = onnx.load(path)
    for node in made.graph.node:
        kept = [entry for entry in node.metadata_props if "stack_trace" not in entry.key]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        node.ClearField("doc_string")
    onnx.save(made, path)


def torch_files(folder):
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.norm = nn.Embedding(11, 8), nn.LayerNorm(8)
            self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
            self.head = nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Linear(12, 3))

        def forward(self, tokens):
            x = self.norm(self.embedding(tokens))
            split = lambda x: x.view(x.shape[0], x.shape[1], 2, 4).transpose(1, 2)
            scores = split(self.query(x)) @ split(self.key(x)).transpose(2, 3) / 2
            x = (scores.softmax(3) @ split(self.value(x))).transpose(1, 2).flatten(2)
            return self.head(x.mean(1))

    class Convolutions(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                                      nn.Conv2d(6, 6, 3, stride=2, groups=3), nn.BatchNorm2d(6), nn.SiLU())
            self.head = nn.Linear(6, 4)

        def forward(self, x):
            return self.head(self.body(x).mean((2, 3)))

    class Older(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU6(),
                                      nn.Dropout(), nn.Upsample(scale_factor=2))
            self.head = nn.Linear(6, 4)

        def forward(self, x):
            x = nn.functional.pad(self.body(x)[:, :, 1:-1], (1, 0, 0, 1), value=0.5)
            return self.head(x.sum((2, 3))).softmax(1), x.sum(1).unsqueeze(1)

    torch.manual_seed(7)
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    for name, module, example, axes in [
        ("torch_attention", Attention(), torch.randint(0, 4, (2, 5)), {0: batch, 1: length}),
        ("torch_convolutions", Convolutions(), torch.randn(2, 3, 12, 12), {0: batch}),
    ]:
        for optimised in [True, False]:
            program = torch.onnx.export(module.eval(), (example,), dynamo=True, optimize=optimised, opset_version=18,
                                        dynamic_shapes=(axes,), verbose=False)
            path = folder / f"{name}{'' if optimised else '_raw'}.onnx"
            program.save(path, external_data=False)
            without_paths(path)
    names = {axis: dim.__name__ for axis, dim in {0: batch}.items()}
    for name, module, opset in [("torchscript_convolutions", Convolutions(), 17), ("torchscript_9", Older(), 9)]:
        torch.onnx.export(module.eval(), (torch.randn(2, 3, 12, 12),), folder / f"{name}.onnx", dynamo=False,
                          opset_version=opset, do_constant_folding=False, input_names=["x"], dynamic_axes={"x": names})


def sklearn_files(folder):
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = random.standard_normal((60, 4)).astype(numpy.float32)
    forest = make_pipeline(StandardScaler(), RandomForestClassifier(5, max_depth=3, random_state=7)).fit(x, x[:, 0] > 0)
    mlp = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=7)).fit(x, x[:, 0])
    for name, pipeline in [("sklearn_forest", forest), ("sklearn_mlp", mlp)]:
        options = {"zipmap": False} if name == "sklearn_forest" else {}
        made = to_onnx(pipeline, x[:1], options=options, target_opset={"": 17, "ai.onnx.ml": 3})
        onnx.save(made, folder / f"{name}.onnx")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for what in sys.argv[2:]:
        {"torch": torch_files, "sklearn": sklearn_files}[what](folder)
    if not sys.argv[2:]:
        for make in [subgraphs, functions, contributed, convolution, replaceable, sequences, quantised, zero_sizes,
                     random_numbers, opset_7, opset_10, opset_12]:
            made = make()
            onnx.checker.check_model(made)
            onnx.save(made, folder / f"{make.__name__}.onnx")
        external(folder)
