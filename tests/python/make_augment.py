"""What Pillow makes of small pictures, for the tests of our augmentation: one JSON object a line.

    target/python/bin/python tests/python/make_augment.py > train/src/data/augment/pillow.jsonl

The calls are those that torchvision makes for a PIL image in RandAugment, ColorJitter, RandomGrayscale and RandomResizedCrop.
"""

import hashlib
import json

import numpy as np
from PIL import Image, ImageEnhance, ImageOps


def noise(channels, height, width):
    place = np.arange(channels * height * width, dtype=np.int64)
    planes = ((place * place * 7919 + place * 104729 + 12345) >> 7) & 255
    return planes.astype(np.uint8).reshape(channels, height, width)


def image(planes):
    return Image.fromarray(planes[0] if len(planes) == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0)))


def planes(image):
    values = np.asarray(image)
    return values[None] if values.ndim == 2 else values.transpose(2, 0, 1)


def affine(image, matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


def turn_hue(image, part):
    if image.mode == "L":
        return image
    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue).astype(np.int64) + int(part * 255)).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(turned), saturation, value)).convert("RGB")


def resized_crop(image, top, left, height, width):
    part = image.crop((left, top, left + width, top + height))
    return part.resize(image.size, Image.Resampling.BILINEAR)


def grey(image):
    return Image.merge("RGB", [image.convert("L")] * 3)


SIGNED = [-0.9, -0.27, 0.0, 0.27, 0.9]
CASES = {
    "identity": (lambda image, _: image, [(0.0,)]),
    "shear_x": (lambda image, slope: affine(image, (1, slope, 0, 0, 1, 0)), [(-0.3,), (-0.09,), (0.17,), (0.3,)]),
    "shear_y": (lambda image, slope: affine(image, (1, 0, 0, slope, 1, 0)), [(-0.3,), (-0.09,), (0.17,), (0.3,)]),
    "translate_x": (lambda image, x: affine(image, (1, 0, -int(x), 0, 1, 0)), [(-3.9,), (1.2,), (4.0,)]),
    "translate_y": (lambda image, y: affine(image, (1, 0, 0, 0, 1, -int(y))), [(-3.9,), (1.2,), (4.0,)]),
    "rotate": (lambda image, degrees: image.rotate(degrees, Image.Resampling.NEAREST), [(-30.0,), (-9.0,), (4.0,), (30.0,)]),
    "brightness": (lambda image, more: ImageEnhance.Brightness(image).enhance(1 + more), [(more,) for more in SIGNED]),
    "color": (lambda image, more: ImageEnhance.Color(image).enhance(1 + more), [(more,) for more in SIGNED]),
    "contrast": (lambda image, more: ImageEnhance.Contrast(image).enhance(1 + more), [(more,) for more in SIGNED]),
    "sharpness": (lambda image, more: ImageEnhance.Sharpness(image).enhance(1 + more), [(more,) for more in SIGNED]),
    "posterize": (lambda image, bits: ImageOps.posterize(image, int(bits)), [(4.0,), (7.0,), (8.0,)]),
    "solarize": (ImageOps.solarize, [(0.0,), (127.5,), (178.5,), (255.0,)]),
    "auto_contrast": (lambda image, _: ImageOps.autocontrast(image), [(0.0,)]),
    "equalize": (lambda image, _: ImageOps.equalize(image), [(0.0,)]),
    "resized_crop": (resized_crop, [(0, 0, 5, 5), (2, 3, 4, 5), (0, 0, 9, 8), (6, 1, 1, 2)]),
}


def line(operation, numbers, shape, output):
    print(json.dumps({"operation": operation, "numbers": numbers, "shape": shape, "output": output}))


for operation, (apply, strengths) in CASES.items():
    for channels in (1, 3):
        # Equalize needs 255 pixels and more before it does anything.
        shape = (channels, 20, 24) if operation == "equalize" else (channels, 9, 8)
        for numbers in strengths:
            found = planes(apply(image(noise(*shape)), *numbers))
            assert found.shape == shape
            line(operation, numbers, shape, found.tobytes().hex())
line("grayscale", (), (3, 9, 8), planes(grey(image(noise(3, 9, 8)))).tobytes().hex())

levels = np.arange(0, 256, 5, dtype=np.uint8)
place = np.arange(len(levels) ** 3)
grid = np.stack([levels[place // len(levels) ** channel % len(levels)] for channel in range(3)])
grid = image(grid.reshape(3, len(levels), len(levels) ** 2))
for part in (-0.5, -0.1, 0.25, 0.5):
    line("hue_grid", (part,), (3, 1, 1), hashlib.sha256(planes(turn_hue(grid, part)).tobytes()).hexdigest())
