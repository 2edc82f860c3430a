"""qdrant_search.py ADDRESS FILE.parquet IMAGE: loads what `selfie embed` wrote into Qdrant and prints the five nearest to an image, whose vector
comes from a running `selfie serve`."""

import json
import sys
import urllib.request

import pyarrow.parquet
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams

address, path, image = sys.argv[1:]
with open(image, "rb") as file:
    request = urllib.request.Request(f"{address}/v1/embeddings", file.read(), {"content-type": "application/octet-stream"})
with urllib.request.urlopen(request) as answer:
    vector = json.load(answer)["data"][0]["embedding"]

# In this process and gone with it; QdrantClient("http://localhost:6333") is a server.
client = QdrantClient(":memory:")
client.create_collection("images", VectorParams(size=len(vector), distance=Distance.COSINE))
number = 0
# In parts, so that the file may be larger than the memory.
for part in pyarrow.parquet.ParquetFile(path).iter_batches(1000, columns=["id", "label", "vector"]):
    points = []
    for row in part.to_pylist():
        # The ids of Qdrant are numbers.
        points.append(PointStruct(id=number, vector=row.pop("vector"), payload=row))
        number += 1
    client.upsert("images", points)
found = client.query_points("images", query=vector, limit=5).points
print(json.dumps([{**hit.payload, "score": hit.score} for hit in found]))
