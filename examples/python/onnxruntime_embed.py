"""onnxruntime_embed.py MODEL IMAGE...: prints the embeddings. Needs onnxruntime, onnx, numpy, pillow."""

import json
import sys

import card
import onnxruntime

model, *images = sys.argv[1:]
about = card.read(model)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
for image in images:
    entry = {about["input"]["name"]: card.prepare(about, image)}
    (embedding,) = session.run([about["outputs"]["embedding"]["name"]], entry)
    print(json.dumps(embedding[0].tolist()))
