"""Reads what `selfie embed` and `selfie classify` wrote, with numpy and pyarrow, and compares the files with each other.

Arguments: a folder with vectors.npy, vectors.parquet, vectors.jsonl and classes.parquet, made of the same images.
"""

import io
import json
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.parquet
from PIL import Image

folder = pathlib.Path(sys.argv[1])
matrix = numpy.load(folder / "vectors.npy")
beside = json.loads((folder / "vectors.ids.json").read_text())
lines = [json.loads(line) for line in (folder / "vectors.jsonl").read_text().splitlines()]
table = pyarrow.parquet.read_table(folder / "vectors.parquet")

assert matrix.dtype == numpy.float32 and matrix.shape == (len(lines), 512), matrix.shape
assert table.schema.field("vector").type.value_type == pyarrow.float32(), table.schema
assert table.schema.names == ["id", "label", "vector", "thumbnail"], table.schema
vectors = numpy.stack([numpy.array(row, numpy.float32) for row in table["vector"].to_pylist()])
assert numpy.array_equal(vectors, matrix)
assert numpy.array_equal(numpy.array([line["vector"] for line in lines], numpy.float32), matrix)
ids = [line["id"] for line in lines]
labels = [line["label"] for line in lines]
assert beside["ids"] == ids == table["id"].to_pylist()
assert beside["labels"] == labels == table["label"].to_pylist() and len(set(labels)) > 1

metadata = table.schema.metadata
assert metadata[b"selfie.model"].decode() == beside["model"]["name"] == "fashion-mnist"
assert metadata[b"selfie.model_version"].decode() == str(beside["model"]["version"]) == "1"
assert metadata[b"selfie.model_sha256"].decode() == beside["model"]["sha256"]
assert metadata[b"selfie.width"] == b"512"
for jpeg in table["thumbnail"].to_pylist():
    image = Image.open(io.BytesIO(jpeg))
    assert (image.format, image.size) == ("JPEG", (28, 28)), image

classes = pyarrow.parquet.read_table(folder / "classes.parquet").to_pylist()
assert [row["id"] for row in classes] == ids
for row in classes:
    top = row["top"]
    assert len(top) == 3 and top[0] == {"class": row["class"], "probability": row["probability"]}, row
    chances = [one["probability"] for one in top]
    assert chances == sorted(chances, reverse=True) and 0 < sum(chances) <= 1 + 1e-6, row
print("ok")
