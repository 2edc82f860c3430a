"""IREE: ONNX to MLIR to machine code of the CPU."""

import importlib.metadata
import os
import sys

import iree.compiler
import iree.runtime
import numpy
import onnx
from convert import convert

FIXED_BATCH = True


def version():
    return importlib.metadata.version("iree-base-compiler")


def load(path, work):
    graph = onnx.load(path).graph
    names = [value.name for value in graph.output]
    imported = os.path.join(work, "model.mlir")
    convert(sys.executable, "-m", "iree.compiler.tools.import_onnx", path, "-o", imported)
    flags = {"target_backends": ["llvm-cpu"], "input_type": "onnx", "extra_args": ["--iree-llvmcpu-target-cpu=host"]}
    binary = iree.compiler.compile_file(imported, **flags)
    config = iree.runtime.Config("local-sync")
    module = iree.runtime.load_vm_module(iree.runtime.VmModule.copy_buffer(config.vm_instance, binary), config)
    entry = module[graph.name]

    def run(images):
        found = entry(images)
        found = found if isinstance(found, (tuple, list)) else [found]
        return {name: numpy.asarray(value) for name, value in zip(names, found)}

    return run
