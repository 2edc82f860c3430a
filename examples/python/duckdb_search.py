"""duckdb_search.py ADDRESS FILE.parquet IMAGE: asks DuckDB for the five rows of what `selfie embed` wrote that are nearest to an image, whose vector
comes from a running `selfie serve`."""

import json
import sys
import urllib.request

import duckdb

address, path, image = sys.argv[1:]
with open(image, "rb") as file:
    request = urllib.request.Request(f"{address}/v1/embeddings", file.read(), {"content-type": "application/octet-stream"})
with urllib.request.urlopen(request) as answer:
    vector = json.load(answer)["data"][0]["embedding"]

# Nothing is loaded: DuckDB reads the file.
found = duckdb.execute(
    """
    SELECT id, label, list_cosine_similarity(vector, $vector::FLOAT[]) AS score
    FROM read_parquet($path) ORDER BY score DESC LIMIT 5
    """,
    {"path": path, "vector": vector},
).fetchall()
print(json.dumps([dict(zip(["id", "label", "score"], row)) for row in found]))
