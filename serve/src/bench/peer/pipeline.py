"""What every peer shares: the card's preprocessing by Pillow, and the model in ONNX Runtime."""

import io
import json
import os

import numpy
import onnxruntime
from PIL import Image

OPTIONS = json.loads(os.environ["SELFIE_BENCH_PEER"])
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def resized(image, size, resample):
    if "shortest_edge" in size:
        scale = size["shortest_edge"] / min(image.size)
        shape = [size["shortest_edge"] if side == min(image.size) else int(side * scale) for side in image.size]
    else:
        shape = [size["width"], size["height"]]
    return image.resize(shape, resample)


def placed(image, size):
    """The centre of the image, cropped or padded with black."""
    left, top = (image.width - size["width"]) // 2, (image.height - size["height"]) // 2
    return image.crop((left, top, left + size["width"], top + size["height"]))


class Pipeline:
    def __init__(self, threads):
        card, device = OPTIONS["card"], OPTIONS["device"]
        self.input, self.steps = card["input"], card["preprocessing"]
        self.output = card["outputs"]["embedding"]["name"]
        scale = self.steps["rescale_factor"] / numpy.array(self.steps["image_std"])
        self.scale = scale.astype(numpy.float32)
        self.shift = (numpy.array(self.steps["image_mean"]) / self.steps["image_std"]).astype(numpy.float32)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        if device.startswith("cuda"):
            if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
                raise SystemExit("its onnxruntime has no CUDA; install onnxruntime-gpu")
            providers = [("CUDAExecutionProvider", {"device_id": int(device.partition(":")[2] or 0)})]
        self.session = onnxruntime.InferenceSession(OPTIONS["model"], options, providers)

    def item(self, jpeg):
        """One image as the model's input, without the batch."""
        image, steps = Image.open(io.BytesIO(jpeg)), self.steps
        if image.mode != MODES[self.input["channels"]]:
            image = image.convert(MODES[self.input["channels"]])
        if steps["do_resize"]:
            image = resized(image, steps["size"], steps["resample"])
        for size in (steps.get("crop_size"), steps.get("pad_size")):
            if size:
                image = placed(image, size)
        pixels = numpy.asarray(image).reshape(image.height, image.width, -1)
        if self.input["dtype"] == "f32":
            pixels = pixels * self.scale - self.shift
        return pixels.transpose(2, 0, 1) if self.input["layout"] == "NCHW" else pixels

    def run(self, items):
        """A row of numbers for each item."""
        return self.session.run([self.output], {self.input["name"]: numpy.stack(items)})[0]
