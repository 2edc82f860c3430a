"""Clients that ask as they should, in every form and size. Each must be answered with 200, or with 429 when the queue is full."""

import base64
import gzip
import json
import struct

from wire import png, request

ALLOWED = {200, 429}


def raw_image(random, model):
    """One image as the body, from one pixel to four million."""
    width, height = random.choice([(1, 1), (28, 28), (640, 480), (1, 4000), (2000, 2000)])
    return request("POST", "/v1/embeddings", png(width, height, random.randrange(256)), "image/png")


def json_images(random, model):
    """Up to 32 images in JSON."""
    images = [base64.b64encode(png(28, 28, random.randrange(256))).decode() for _ in range(random.choice([1, 3, 32]))]
    body = {"input": images, "encoding_format": random.choice(["float", "base64"])}
    return request("POST", "/v1/embeddings", json.dumps(body).encode())


def compressed_json(random, model):
    """The same in gzip."""
    body = json.dumps({"input": base64.b64encode(png(300, 200)).decode()}).encode()
    return request("POST", "/v1/classify", gzip.compress(body), content_encoding="gzip")


def form(random, model):
    """Files of a multipart form."""
    part = b'--b\r\ncontent-disposition: form-data; name="images"; filename="a.png"\r\n\r\n%s\r\n'
    body = b"".join(part % png(64, 48, random.randrange(256)) for _ in range(random.choice([1, 5]))) + b"--b--\r\n"
    return request("POST", "/v1/classify?top_k=3", body, "multipart/form-data; boundary=b")


def tensor(random, model):
    """A raw tensor behind its JSON."""
    count, shape = random.choice([1, 2, 7, 32]), model["shape"]
    size = shape[0] * shape[1] * shape[2] * count
    raw = struct.pack(f"<{size}f", *[index % 5 / 5 for index in range(size)])
    described = {"name": model["input"], "shape": [count, *shape], "datatype": "FP32"}
    described["parameters"] = {"binary_data_size": len(raw)}
    head = json.dumps({"inputs": [described]}).encode()
    path = f"/v2/models/{model['name']}/infer"
    headers = {"inference_header_content_length": len(head)}
    return request("POST", path, head + raw, "application/octet-stream", **headers)


def questions(random, model):
    """What needs no model."""
    paths = ["/v1/models", "/v2/health/ready", "/metrics", "/openapi.json", f"/v2/models/{model['name']}/stats"]
    return request("GET", random.choice(paths))


CLIENTS = [raw_image, json_images, compressed_json, form, tensor, questions]
