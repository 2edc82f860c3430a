"""client.py ADDRESS IMAGE: asks a running `selfie serve` for the embedding. Needs Python alone."""

import json
import sys
import urllib.request

address, path = sys.argv[1:]
with open(path, "rb") as image:
    body = image.read()
request = urllib.request.Request(f"{address}/v1/embeddings", body, {"content-type": "application/octet-stream"})
with urllib.request.urlopen(request) as answer:
    print(json.dumps(json.load(answer)["data"][0]["embedding"]))
