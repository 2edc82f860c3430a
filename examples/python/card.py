"""From an image file to the input of a model, by the card in the model's file alone."""

import json

import numpy
import onnx
from PIL import Image


def read(model):
    """The model card."""
    metadata = onnx.load(model, load_external_data=False).metadata_props
    return json.loads(next(entry.value for entry in metadata if entry.key == "selfie.card"))


def prepare(card, path):
    """The image as a batch of one: resize, crop, pad, rescale, normalise, lay out."""
    steps, into = card["preprocessing"], card["input"]
    image = Image.open(path).convert({1: "L", 3: "RGB", 4: "RGBA"}[into["channels"]])
    if steps["do_resize"]:
        image = image.resize(target(image.size, steps["size"]), steps["resample"])
    for size in (steps.get("crop_size"), steps.get("pad_size")):
        if size:
            left, top = (image.width - size["width"]) // 2, (image.height - size["height"]) // 2
            image = image.crop((left, top, left + size["width"], top + size["height"]))
    pixels = numpy.asarray(image).reshape(image.height, image.width, into["channels"])
    if into["dtype"] == "f32":
        pixels = (pixels * steps["rescale_factor"] - steps["image_mean"]) / steps["image_std"]
        pixels = pixels.astype(numpy.float32)
    if into["layout"] == "NCHW":
        pixels = pixels.transpose(2, 0, 1)
    return numpy.ascontiguousarray(pixels[None])


def target(found, size):
    """Width and height after the resize."""
    if "shortest_edge" in size:
        factor = size["shortest_edge"] / min(found)
        return tuple(max(1, round(side * factor)) for side in found)
    return size["width"], size["height"]
