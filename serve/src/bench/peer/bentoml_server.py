"""BentoML with its adaptive batching: images come in base64, as a batchable API of BentoML takes lists."""

import base64
import concurrent.futures

import bentoml
import numpy
from pipeline import OPTIONS, Pipeline


@bentoml.service(workers=1, threads=OPTIONS["threads"], traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Embedder:
    def __init__(self):
        self.pipeline = Pipeline(OPTIONS["threads"])
        self.decoders = concurrent.futures.ThreadPoolExecutor(OPTIONS["threads"])

    @bentoml.api(batchable=True, max_batch_size=OPTIONS["max_batch_size"], max_latency_ms=10_000)
    def embed(self, images: list[str]) -> list[str]:
        items = self.decoders.map(lambda text: self.pipeline.item(base64.b64decode(text)), images)
        rows = self.pipeline.run(list(items)).astype(numpy.float32)
        return [base64.b64encode(row.tobytes()).decode() for row in rows]


if __name__ == "__main__":
    bentoml.serve(
        "bentoml_server:Embedder", host="127.0.0.1", port=OPTIONS["port"], blocking=True, server_type="http"
    )
