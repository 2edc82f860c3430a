"""tflite_embed.py MODEL IMAGE: prints the embedding. Needs onnx2tf and what it asks for (examples/README.md), pillow."""

import json
import shutil
import sys
import tempfile

import card
import numpy
import onnx2tf
from ai_edge_litert.interpreter import Interpreter

model, image = sys.argv[1:]
about = card.read(model)
images = card.prepare(about, image)
with tempfile.TemporaryDirectory() as folder:
    # onnx2tf writes into the file that it reads.
    copy, names = shutil.copy(model, f"{folder}/model.onnx"), {"copy_onnx_input_output_names_to_tflite": True}
    onnx2tf.convert(input_onnx_file_path=copy, output_folder_path=folder, batch_size=1, non_verbose=True, **names)
    runner = Interpreter(f"{folder}/model_float32.tflite").get_signature_runner()
((_, entry),) = runner.get_input_details().items()
if tuple(entry["shape"]) != images.shape:
    # onnx2tf puts the channels last.
    images = numpy.ascontiguousarray(numpy.moveaxis(images, 1, -1))
outputs = runner(**{about["input"]["name"]: images})
print("\n" + json.dumps(outputs[about["outputs"]["embedding"]["name"]][0].tolist()))
