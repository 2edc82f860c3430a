"""Writes galleries of 60,000 random vectors of 512 numbers: random.npy with its ids, and random-table.parquet and
random-list.parquet by pyarrow. long.npy holds 25,001 vectors of 16 numbers, more than a map has points, some of no length.

Arguments: the folder to write into.
"""

import json
import pathlib
import sys

import numpy
import pyarrow
import pyarrow.parquet

folder = pathlib.Path(sys.argv[1])
vectors = numpy.random.default_rng(7).standard_normal((60_000, 512), dtype=numpy.float32)
# Some are the same: the earlier one comes first.
vectors[40_000:40_050] = vectors[:50]
ids = [f"image {index}" for index in range(len(vectors))]
labels = [f"class {index % 10}" if index % 11 else None for index in range(len(vectors))]
numpy.save(folder / "random.npy", vectors)
(folder / "random.ids.json").write_text(json.dumps({"ids": ids, "labels": labels}))
flat = pyarrow.array(vectors.reshape(-1))
for name, vector in [
    ("random-table", pyarrow.FixedSizeListArray.from_arrays(flat, 512)),
    ("random-list", pyarrow.ListArray.from_arrays(numpy.arange(0, len(flat) + 1, 512, dtype=numpy.int32), flat)),
]:
    table = pyarrow.table({"id": ids, "label": labels, "vector": vector})
    pyarrow.parquet.write_table(table, folder / f"{name}.parquet")
spread = numpy.random.default_rng(8).standard_normal((25_001, 16)) * numpy.linspace(1, 3, 16) + 0.5
spread[100:200] = 0
numpy.save(folder / "long.npy", spread.astype(numpy.float32))
(folder / "long.ids.json").write_text(json.dumps({"ids": [str(row) for row in range(25_001)], "labels": labels[:25_001]}))
print("ok")
