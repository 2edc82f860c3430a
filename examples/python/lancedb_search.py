"""lancedb_search.py ADDRESS FILE.parquet IMAGE: loads what `selfie embed` wrote into LanceDB and prints the five nearest to an image, whose vector
comes from a running `selfie serve`."""

import json
import sys
import tempfile
import urllib.request

import lancedb
import pyarrow
import pyarrow.parquet

address, path, image = sys.argv[1:]
with open(image, "rb") as file:
    request = urllib.request.Request(f"{address}/v1/embeddings", file.read(), {"content-type": "application/octet-stream"})
with urllib.request.urlopen(request) as answer:
    vector = json.load(answer)["data"][0]["embedding"]

rows = pyarrow.parquet.read_table(path)
# LanceDB searches in columns whose lists are all of one length.
column = rows["vector"].cast(pyarrow.list_(pyarrow.float32(), len(vector)))
rows = rows.set_column(rows.schema.get_field_index("vector"), "vector", column)
# A folder of your own keeps the table.
with tempfile.TemporaryDirectory() as folder:
    images = lancedb.connect(folder).create_table("images", rows)
    found = images.search(vector).distance_type("cosine").limit(5).to_list()
print(json.dumps([{"id": hit["id"], "label": hit["label"], "score": 1 - hit["_distance"]} for hit in found]))
