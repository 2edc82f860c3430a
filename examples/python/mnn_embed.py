"""mnn_embed.py MODEL IMAGE: prints the embedding. Needs MNN, onnx, numpy, pillow; `mnnconvert` is a program of MNN."""

import json
import pathlib
import subprocess
import sys
import tempfile

import card
import MNN

model, image = sys.argv[1:]
about = card.read(model)
images = card.prepare(about, image)
with tempfile.TemporaryDirectory() as folder:
    converted, program = f"{folder}/model.mnn", pathlib.Path(sys.executable).with_name("mnnconvert")
    flags = ["-f", "ONNX", "--modelFile", model, "--MNNModel", converted, "--bizCode", "selfie"]
    subprocess.run([program, *flags], check=True, stdout=subprocess.DEVNULL)
    # Without it MNN may compute in 16 bits.
    manager = MNN.nn.create_runtime_manager(({"backend": "CPU", "precision": "high"},))
    names = [about["input"]["name"]], [about["outputs"]["embedding"]["name"]]
    module = MNN.nn.load_module_from_file(converted, *names, runtime_manager=manager)
(embedding,) = module.forward([MNN.expr.const(images, list(images.shape), MNN.expr.NCHW)])
print("\n" + json.dumps(MNN.expr.convert(embedding, MNN.expr.NCHW).read()[0].tolist()))
