"""TVM, by the ONNX importer of Relax, compiled for the CPU."""

import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

FIXED_BATCH = True


def version():
    return tvm.__version__


def load(path, work):
    model = onnx.load(path)
    names = [value.name for value in model.graph.output]
    module = from_onnx(model, keep_params_in_input=False)
    machine = relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())

    def run(images):
        found = machine["main"](tvm.runtime.tensor(images))
        found = [found] if hasattr(found, "numpy") else found
        return {name: value.numpy() for name, value in zip(names, found)}

    return run
