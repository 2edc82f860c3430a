"""ncnn_embed.py MODEL IMAGE: prints the embedding. Needs ncnn, pnnx (`--no-deps`: only its program is used), onnx, numpy, pillow."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile

import card
import ncnn
import numpy
import onnx

model, image = sys.argv[1:]
about = card.read(model)
images = card.prepare(about, image)
names = [output.name for output in onnx.load(model).graph.output]
(program,) = importlib.util.find_spec("pnnx").submodule_search_locations
net = ncnn.Net()
net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
with tempfile.TemporaryDirectory() as folder:
    copy = shutil.copy(model, f"{folder}/model.onnx")
    flags = [f"inputshape={list(images.shape)}".replace(" ", ""), "fp16=0"]
    subprocess.run([f"{program}/pnnx", copy, *flags], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    net.load_param(f"{folder}/model.ncnn.param")
    net.load_model(f"{folder}/model.ncnn.bin")
extractor = net.create_extractor()
extractor.input("in0", ncnn.Mat(images[0]).clone())
_, embedding = extractor.extract(f"out{names.index(about['outputs']['embedding']['name'])}")
print("\n" + json.dumps(numpy.array(embedding).reshape(-1).tolist()))
