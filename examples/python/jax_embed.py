"""jax_embed.py MODEL IMAGE: prints the embedding. Needs jax, jaxonnxruntime, absl-py, onnx, numpy, pillow."""

import json
import sys

import card
import onnx
from jaxonnxruntime import call_onnx

model, image = sys.argv[1:]
about = card.read(model)
entry, graph = {about["input"]["name"]: card.prepare(about, image)}, onnx.load(model)
function, weights = call_onnx.call_onnx_model(graph, entry)
outputs = dict(zip([output.name for output in graph.graph.output], function(weights, entry)))
print(json.dumps(outputs[about["outputs"]["embedding"]["name"]][0].tolist()))
