"""iree_embed.py MODEL IMAGE: prints the embedding. Needs iree-base-compiler, iree-base-runtime, onnx, numpy, pillow."""

import json
import subprocess
import sys
import tempfile

import card
import iree.compiler
import iree.runtime
import onnx

model, image = sys.argv[1:]
about, graph = card.read(model), onnx.load(model)
# It compiles for one batch size, as `selfie export --batch 1` writes it.
for value in [*graph.graph.input, *graph.graph.output]:
    value.type.tensor_type.shape.dim[0].dim_value = 1
with tempfile.TemporaryDirectory() as folder:
    fixed, imported = f"{folder}/model.onnx", f"{folder}/model.mlir"
    onnx.save(graph, fixed)
    subprocess.run([sys.executable, "-m", "iree.compiler.tools.import_onnx", fixed, "-o", imported], check=True)
    flags = {"target_backends": ["llvm-cpu"], "input_type": "onnx", "extra_args": ["--iree-llvmcpu-target-cpu=host"]}
    binary = iree.compiler.compile_file(imported, **flags)
config = iree.runtime.Config("local-sync")
module = iree.runtime.load_vm_module(iree.runtime.VmModule.copy_buffer(config.vm_instance, binary), config)
found = module[graph.graph.name](card.prepare(about, image))
outputs = dict(zip([output.name for output in graph.graph.output], found if isinstance(found, (tuple, list)) else [found]))
print(json.dumps(outputs[about["outputs"]["embedding"]["name"]].to_host()[0].tolist()))
