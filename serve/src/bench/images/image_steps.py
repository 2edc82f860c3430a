"""Reads "SIDE MODEL" a line, takes every photograph to a vector on one thread, prints the seconds and the last vector."""

import io
import json
import pathlib
import sys
import time

import numpy
import onnxruntime

library, folder = sys.argv[1:]
photographs = [path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.jpg"))]

if library == "cv2":
    import cv2

    cv2.setNumThreads(1)

    def pixels(jpeg, side):
        image = cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR)
        image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

else:
    from PIL import Image

    def pixels(jpeg, side):
        return numpy.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB").resize((side, side), Image.BILINEAR))


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])


sessions = {}
scale = numpy.float32(1 / 255)
for line in sys.stdin:
    side, path = line.rstrip("\n").split(" ", 1)
    if path not in sessions:
        sessions[path] = session(path)
    model = sessions[path]
    start = time.perf_counter()
    for jpeg in photographs:
        batch = (pixels(jpeg, int(side)) * scale).transpose(2, 0, 1)[None]
        vector = model.run(["embedding"], {"pixel_values": batch})[0][0]
    print(json.dumps([time.perf_counter() - start, vector.tolist()]), flush=True)
