"""From an image file to the input of a model, by the model's card alone, as `selfie serve` does it."""

import json
import pathlib

import numpy
import onnx
from PIL import Image, ImageOps


def read(model):
    """The model card: `card.json` beside the file, or the one in it."""
    beside = pathlib.Path(model).with_name("card.json")
    if beside.is_file():
        return json.loads(beside.read_text(encoding="utf-8"))
    metadata = onnx.load(model, load_external_data=False).metadata_props
    return json.loads(next(entry.value for entry in metadata if entry.key == "selfie.card"))


def prepare(card, path):
    """The image as a batch of one: upright, channels, resize, crop, pad, rescale, normalise, lay out."""
    steps, into = card["preprocessing"], card["input"]
    image = channels(ImageOps.exif_transpose(Image.open(path)), into["channels"])
    if steps["do_resize"]:
        image = image.resize(target(image.size, steps["size"]), steps["resample"])
    if size := steps.get("crop_size"):
        image = place(image, size, (image.width - size["width"]) // 2, (image.height - size["height"]) // 2)
    if size := steps.get("pad_size"):
        before = (size["width"] - image.width) // 2, (size["height"] - image.height) // 2
        if min(before) < 0:
            raise ValueError(f"{image.size} before it is padded is more than {size}")
        image = place(image, size, -before[0], -before[1])
    if image.size != (into["width"], into["height"]):
        raise ValueError(f"{image.size} after preprocessing is not what the model takes")
    pixels = numpy.asarray(image).reshape(image.height, image.width, into["channels"])
    if into["dtype"] == "f32":
        pixels = (pixels * steps["rescale_factor"]).astype(numpy.float32)
        pixels = (pixels - numpy.float32(steps["image_mean"])) / numpy.float32(steps["image_std"])
    if into["layout"] == "NCHW":
        pixels = pixels.transpose(2, 0, 1)
    return numpy.ascontiguousarray(pixels[None])


def channels(image, count):
    """1 grey, 3 RGB, 4 RGBA. Sixteen bits are rounded to eight (of colours with sixteen Pillow gives the upper eight);
    transparency is laid over black where it has no channel."""
    if image.mode.startswith("I"):
        image = Image.fromarray(((numpy.asarray(image).astype(numpy.uint32) + 128) // 257).astype(numpy.uint8))
    if count < 4 and image.has_transparency_data:
        grey = image.mode in ("1", "L", "LA", "La")
        pixels = numpy.asarray(image.convert("LA" if grey else "RGBA")).astype(numpy.uint32)
        laid = ((pixels[..., :-1] * pixels[..., -1:] + 127) // 255).astype(numpy.uint8)
        image = Image.fromarray(laid[..., 0] if grey else laid)
    return image.convert({1: "L", 3: "RGB", 4: "RGBA"}[count])


def target(found, size):
    """Width and height after the resize; the longer side is rounded down."""
    if "shortest_edge" not in size:
        return size["width"], size["height"]
    edge = size["shortest_edge"]
    return tuple(edge if side == min(found) else max(1, edge * side // min(found)) for side in found)


def place(image, size, left, top):
    """The part of the image that begins there, black where it has none."""
    return image.crop((left, top, left + size["width"], top + size["height"]))
