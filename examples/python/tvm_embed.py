"""tvm_embed.py MODEL IMAGE: prints the embedding. Needs apache-tvm, onnx, numpy, pillow."""

import json
import sys

import card
import onnx
import tvm
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

model, image = sys.argv[1:]
about, graph = card.read(model), onnx.load(model)
images = card.prepare(about, image)
module = from_onnx(graph, shape_dict={about["input"]["name"]: list(images.shape)}, keep_params_in_input=False)
machine = relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
found = machine["main"](tvm.runtime.tensor(images))
outputs = dict(zip([output.name for output in graph.graph.output], [found] if hasattr(found, "numpy") else found))
print(json.dumps(outputs[about["outputs"]["embedding"]["name"]].numpy()[0].tolist()))
