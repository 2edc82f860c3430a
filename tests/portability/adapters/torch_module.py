"""PyTorch: onnx2torch makes a module of the file."""

import onnx
import onnx2torch
import torch


def version():
    return torch.__version__


def load(path, work):
    names = [value.name for value in onnx.load(path).graph.output]
    module = onnx2torch.convert(path).eval()

    def run(images):
        with torch.no_grad():
            found = module(torch.from_numpy(images))
        found = found if isinstance(found, (tuple, list)) else [found]
        return {name: value.numpy() for name, value in zip(names, found)}

    return run
