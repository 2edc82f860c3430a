"""JAX, by jaxonnxruntime."""

import importlib.metadata

import jax
import numpy
import onnx
from jaxonnxruntime import call_onnx, config

FIXED_BATCH = True
# A `Cast` of what is no weight, and a shape that is computed, are refused otherwise.
config.update("jaxort_only_allow_initializers_as_static_args", False)


def version():
    return jax.__version__


def load(path, work):
    model = onnx.load(path)
    names = [value.name for value in model.graph.output]

    def run(images):
        function, weights = call_onnx.call_onnx_model(model, {model.graph.input[0].name: images})
        return dict(zip(names, map(numpy.asarray, function(weights, {model.graph.input[0].name: images}))))

    return run
