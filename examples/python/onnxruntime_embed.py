"""onnxruntime_embed.py MODEL IMAGE: prints the embedding. Needs onnxruntime, onnx, numpy, pillow."""

import json
import sys

import card
import onnxruntime

model, image = sys.argv[1:]
about = card.read(model)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
images = card.prepare(about, image)
(embedding,) = session.run([about["outputs"]["embedding"]["name"]], {about["input"]["name"]: images})
print(json.dumps(embedding[0].tolist()))
