"""OpenVINO on the CPU, in f32: on some processors its default is bf16."""

import openvino


def version():
    return openvino.__version__.split("-")[0]


def load(path, work):
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images):
        results = model([images])
        # An output may have more names than that of the graph.
        return {name: results[output] for output in model.outputs for name in output.get_names()}

    return run
