"""opencv_embed.py MODEL IMAGE: prints the embedding. Needs opencv-python-headless, onnx, numpy, pillow."""

import json
import sys

import card
import cv2

model, image = sys.argv[1:]
about = card.read(model)
net = cv2.dnn.readNetFromONNX(model)
net.setInput(card.prepare(about, image), about["input"]["name"])
print(json.dumps(net.forward(about["outputs"]["embedding"]["name"])[0].tolist()))
