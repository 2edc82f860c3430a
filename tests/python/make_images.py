"""Writes a Parquet file of images as Hugging Face's `datasets` does, with pyarrow and Pillow.

Arguments: the file to write. Prints the class of each row and its image as PNG in base64, as JSON.
"""

import base64
import io
import json
import sys

import pyarrow
import pyarrow.parquet
from PIL import Image

NAMES = ["red", "green", "blue"]
rows, told = [], []
for index in range(50):
    color = [0, 0, 0]
    color[index % 3] = 255 - index
    encoded = io.BytesIO()
    Image.new("RGB", (20 + index, 15), tuple(color)).save(encoded, "PNG")
    rows.append({"image": {"bytes": encoded.getvalue(), "path": f"{index}.png"}, "label": index % 3})
    told.append([NAMES[index % 3], base64.b64encode(encoded.getvalue()).decode()])

image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
schema = pyarrow.schema([("image", image), ("label", pyarrow.int64())])
features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
table = pyarrow.Table.from_pylist(rows, schema=schema)
# Row groups that end in the middle of a batch.
pyarrow.parquet.write_table(table, sys.argv[1], row_group_size=7)
print(json.dumps(told))
