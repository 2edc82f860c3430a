"""onnx2torch_embed.py MODEL IMAGE: prints the embedding. Needs torch, onnx2torch, onnx, numpy, pillow."""

import json
import sys

import card
import onnx
import onnx2torch
import torch

model, image = sys.argv[1:]
about = card.read(model)
module = onnx2torch.convert(model).eval()
with torch.no_grad():
    found = module(torch.from_numpy(card.prepare(about, image)))
names = [output.name for output in onnx.load(model).graph.output]
outputs = dict(zip(names, found if isinstance(found, (tuple, list)) else [found]))
print(json.dumps(outputs[about["outputs"]["embedding"]["name"]][0].tolist()))
