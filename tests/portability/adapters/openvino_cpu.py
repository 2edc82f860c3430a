"""OpenVINO on the CPU, in f32: on some processors its default is bf16."""

import openvino


def version():
    return openvino.__version__.split("-")[0]


def load(path, work):
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images):
        results = model([images])
        return {output.get_any_name(): results[output] for output in model.outputs}

    return run
