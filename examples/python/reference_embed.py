"""reference_embed.py MODEL IMAGE: prints the embedding. Needs onnx, numpy, pillow."""

import json
import sys

import card
import onnx.reference

model, image = sys.argv[1:]
about = card.read(model)
session = onnx.reference.ReferenceEvaluator(model)
images = card.prepare(about, image)
(embedding,) = session.run([about["outputs"]["embedding"]["name"]], {about["input"]["name"]: images})
print(json.dumps(embedding[0].tolist()))
