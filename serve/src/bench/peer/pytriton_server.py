"""Triton by PyTriton with its dynamic batching: the server is Triton's own, the model a Python function that gets what has come."""

import concurrent.futures
import signal
import sys

import numpy
from pipeline import OPTIONS, Pipeline
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

pipeline = Pipeline(OPTIONS["threads"])
decoders = concurrent.futures.ThreadPoolExecutor(OPTIONS["threads"])


@batch
def embed(images):
    return [pipeline.run(list(decoders.map(pipeline.item, images[:, 0])))]


if __name__ == "__main__":
    # Triton has a process of its own, which ends with this block.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    config = TritonConfig(http_address="127.0.0.1", http_port=OPTIONS["port"], allow_grpc=False, allow_metrics=False)
    with Triton(config=config) as triton:
        triton.bind(
            model_name="embed",
            infer_func=embed,
            inputs=[Tensor(name="images", dtype=bytes, shape=(1,))],
            outputs=[Tensor(name="embedding", dtype=numpy.float32, shape=(-1,))],
            config=ModelConfig(max_batch_size=OPTIONS["max_batch_size"], batcher=DynamicBatcher()),
        )
        triton.serve()
