"""Fashion-MNIST's training images as a Parquet file of PNG images, for `selfie embed`.

    SELFIE_CACHE=cache selfie data fetch fashion-mnist
    python fashion_parquet.py cache/fashion-mnist fashion.parquet
"""

import gzip
import io
import sys
from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet
from PIL import Image


def idx(path, header):
    return numpy.frombuffer(gzip.decompress(path.read_bytes()), numpy.uint8, offset=header)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return {"bytes": file.getvalue()}


folder, out = map(Path, sys.argv[1:])
images = idx(folder / "train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
labels = idx(folder / "train-labels-idx1-ubyte.gz", 8).astype("int64")
table = pyarrow.table({"image": [png(pixels) for pixels in images], "label": labels})
pyarrow.parquet.write_table(table, out)
print(f"{out}: {table.num_rows} images")
