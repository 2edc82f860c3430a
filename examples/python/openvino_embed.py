"""openvino_embed.py MODEL IMAGE: prints the embedding. Needs openvino, onnx, numpy, pillow."""

import json
import sys

import card
import openvino

model, image = sys.argv[1:]
about = card.read(model)
# Without the hint OpenVINO computes in bf16 where the processor has it.
compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
outputs = compiled([card.prepare(about, image)])
print(json.dumps(outputs[about["outputs"]["embedding"]["name"]][0].tolist()))
