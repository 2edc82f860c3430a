"""LitServe with its batching: a worker takes what has come, decodes it on threads and runs it at once."""

import concurrent.futures
from typing import Annotated

import fastapi
import litserve
from pipeline import OPTIONS, Pipeline

DEVICE = "cuda" if OPTIONS["device"].startswith("cuda") else "cpu"


class Embedder(litserve.LitAPI):
    def setup(self, device):
        self.pipeline = Pipeline(OPTIONS["threads"])
        self.decoders = concurrent.futures.ThreadPoolExecutor(OPTIONS["threads"])

    def decode_request(self, request: Annotated[bytes, fastapi.Body()]):
        return request

    def batch(self, jpegs):
        return list(self.decoders.map(self.pipeline.item, jpegs))

    def predict(self, items):
        return self.pipeline.run(items)

    def unbatch(self, rows):
        return list(rows)

    def encode_response(self, row) -> fastapi.Response:
        return fastapi.Response(row.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    api = Embedder(max_batch_size=OPTIONS["max_batch_size"], batch_timeout=0.005, api_path="/embed")
    server = litserve.LitServer(api, accelerator=DEVICE, devices=1, workers_per_device=1, timeout=60)
    server.run(host="127.0.0.1", port=OPTIONS["port"], log_level="warning", generate_client_file=False, access_log=False)
