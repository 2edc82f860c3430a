"""TensorFlow Lite: onnx2tf converts the file, LiteRT runs it."""

import importlib.metadata
import os

import numpy
import onnx
import onnx2tf
from ai_edge_litert.interpreter import Interpreter
from convert import copied

FIXED_BATCH = True
# Pictures that onnx2tf fetches unless they lie in the current folder; noise tells it as well which axis is which.
PICTURES = "calibration_image_sample_data_20x128x128x3_float32.npy"


def version():
    return importlib.metadata.version("ai-edge-litert")


def load(path, work):
    outputs = onnx.load(path).graph.output
    shapes = {value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim) for value in outputs}
    numpy.save(os.path.join(work, PICTURES), numpy.random.default_rng(0).random((20, 128, 128, 3), numpy.float32))
    # onnx2tf writes into the file that it reads.
    name = os.path.splitext(os.path.basename(path))[0]
    folder = os.path.join(work, f"tflite-{name}")
    os.makedirs(folder, exist_ok=True)
    onnx2tf.convert(
        input_onnx_file_path=copied(path, folder),
        output_folder_path=folder,
        non_verbose=True,
        copy_onnx_input_output_names_to_tflite=True,
    )
    runner = Interpreter(os.path.join(folder, f"{name}_float32.tflite")).get_signature_runner()

    def run(images):
        ((entry, about),) = runner.get_input_details().items()
        if tuple(about["shape"]) != images.shape:
            # onnx2tf puts the second axis last.
            images = numpy.ascontiguousarray(numpy.moveaxis(images, 1, -1))
        found = runner(**{entry: images})
        return {name: as_exported(found[name], shape) for name, shape in shapes.items()}

    return run


def as_exported(output, shape):
    """The output with its second axis where the file has it."""
    if output.shape == shape or output.ndim < 3:
        return output
    return numpy.moveaxis(output, -1, 1)
