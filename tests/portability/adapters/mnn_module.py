"""MNN: the file is converted first. Asked for high precision, else it may compute in f16."""

import os
import sys

import MNN
import numpy
import onnx
from convert import convert


def version():
    return MNN.version()


def load(path, work):
    graph = onnx.load(path).graph
    inputs, outputs = [value.name for value in graph.input], [value.name for value in graph.output]
    converted = os.path.join(work, "model.mnn")
    converter = os.path.join(os.path.dirname(sys.executable), "mnnconvert")
    flags = ["-f", "ONNX", "--modelFile", path, "--MNNModel", converted, "--bizCode", "selfie"]
    convert(converter, *flags, cwd=work)
    manager = MNN.nn.create_runtime_manager(({"backend": "CPU", "precision": "high"},))
    module = MNN.nn.load_module_from_file(converted, inputs, outputs, runtime_manager=manager)

    def run(images):
        dtype = {"float32": MNN.expr.float, "uint8": MNN.expr.uint8}[images.dtype.name]
        found = module.forward([MNN.expr.const(images, list(images.shape), MNN.expr.NCHW, dtype)])
        return {name: numpy.array(MNN.expr.convert(value, MNN.expr.NCHW).read()) for name, value in zip(outputs, found)}

    return run
