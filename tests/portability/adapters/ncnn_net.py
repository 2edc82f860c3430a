"""ncnn: pnnx converts the file. A network of ncnn takes one image, so the images of a batch run one after the other."""

import importlib.metadata
import importlib.util
import os

import ncnn
import numpy
import onnx
from convert import convert, copied


def version():
    return importlib.metadata.version("ncnn")


def unknown_layers(work):
    """The layers that pnnx wrote under the name of an operator of PyTorch, having none of ncnn's for them."""
    with open(os.path.join(work, "model.ncnn.param"), encoding="utf-8") as file:
        names = {line.split()[0] for line in file if "." in line.split()[0]}
    return f"layers that ncnn does not have: {', '.join(sorted(names)) or 'none'}"


def load(path, work):
    graph = onnx.load(path).graph
    names = [value.name for value in graph.output]
    ranks = [len(value.type.tensor_type.shape.dim) for value in graph.output]
    # One image, and 32 where a network leaves its sides open.
    entry = graph.input[0].type.tensor_type
    sides = [dim.dim_value or 32 for dim in entry.shape.dim][1:]
    kind = {onnx.TensorProto.FLOAT: "f32", onnx.TensorProto.UINT8: "u8"}[entry.elem_type]
    copy = copied(path, work, "model.onnx")
    # The program in the package: the module beside it wants PyTorch.
    pnnx = os.path.join(*importlib.util.find_spec("pnnx").submodule_search_locations, "pnnx")
    flags = [f"inputshape={[1, *sides]}{kind}".replace(" ", ""), "fp16=0"]
    convert(pnnx, copy, *flags, cwd=work)
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    loaded = net.load_param(os.path.join(work, "model.ncnn.param")), net.load_model(os.path.join(work, "model.ncnn.bin"))
    assert loaded == (0, 0), f"ncnn's load_param and load_model gave the codes {loaded}; {unknown_layers(work)}"

    def one(image):
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(image).clone())
        rows = []
        for index, rank in enumerate(ranks):
            code, row = extractor.extract(f"out{index}")
            assert code == 0, f"ncnn's extract gave the code {code}"
            # A vector may come as a matrix of one row.
            rows.append(numpy.array(row) if rank > 2 else numpy.array(row).reshape(-1))
        return rows

    def run(images):
        return dict(zip(names, (numpy.stack(rows) for rows in zip(*map(one, images)))))

    return run
