"""Talks to a server as NVIDIA's client for the inference protocol does: JSON and raw tensors, images, classes, metadata, repository."""

import base64
import json
import sys

import numpy
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

MODEL = "net"


def tensor(values, datatype, binary=True):
    made = triton.InferInput("pixel_values", list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def check_metadata(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("nobody")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(MODEL)
    assert metadata["inputs"][0] == {"name": "pixel_values", "datatype": "FP32", "shape": [-1, 3, 8, 8]}, metadata
    config = client.get_model_config(MODEL)
    assert config["max_batch_size"] == 32 and config["input"][0]["dims"] == [3, 8, 8], config


def check_tensors(client, expected, close):
    values = numpy.array(expected["input"], dtype=numpy.float32).reshape(2, 3, 8, 8)
    embedding, logits = (numpy.array(expected[name], dtype=numpy.float32) for name in ("embedding", "logits"))
    for binary_in in (True, False):
        everything = client.infer(MODEL, [tensor(values, "FP32", binary_in)], request_id="42")
        assert everything.get_response()["id"] == "42"
        close(everything.as_numpy("embedding"), embedding)
        close(everything.as_numpy("logits"), logits)
        for binary_out in (True, False):
            wanted = [triton.InferRequestedOutput("logits", binary_data=binary_out)]
            answer = client.infer(MODEL, [tensor(values, "FP32", binary_in)], outputs=wanted, model_version="1")
            close(answer.as_numpy("logits"), logits)
            assert answer.as_numpy("embedding") is None
            classes = [triton.InferRequestedOutput("logits", binary_data=binary_out, class_count=3)]
            best = client.infer(MODEL, [tensor(values, "FP32", binary_in)], outputs=classes).as_numpy("logits")
            assert best.shape == (2, 3), best.shape
            for row, scores in zip(best, logits.reshape(2, -1)):
                for found, index in zip(row, numpy.argsort(-scores, kind="stable")):
                    text = found.decode() if isinstance(found, bytes) else found
                    value, position, label = text.split(":")
                    assert int(position) == index and label == f"class {index}", (text, scores)
                    close(numpy.float32(value), scores[index])
    for algorithm in ("gzip", "deflate"):
        packed = client.infer(
            MODEL,
            [tensor(values, "FP32")],
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )
        close(packed.as_numpy("embedding"), embedding)
    asked = client.async_infer(MODEL, [tensor(values, "FP32")])
    close(asked.get_result().as_numpy("embedding"), embedding)


def check_images(client, expected, close):
    images = [base64.b64decode(image) for image in expected["images"]]
    vectors = numpy.array(expected["vectors"], dtype=numpy.float32)
    elements = numpy.array(images, dtype=numpy.object_)
    close(client.infer(MODEL, [tensor(elements, "BYTES")]).as_numpy("embedding"), vectors)
    close(client.infer(MODEL, [tensor(elements.reshape(-1, 1), "BYTES")]).as_numpy("embedding"), vectors)
    texts = numpy.array([image.encode() for image in expected["images"]], dtype=numpy.object_)
    close(client.infer(MODEL, [tensor(texts, "BYTES", binary=False)]).as_numpy("embedding"), vectors)


def check_errors(client):
    wrong = numpy.zeros((1, 3, 9, 8), dtype=numpy.float32)
    for model, values, status, text in (
        (MODEL, wrong, "400", "takes [batch, 3, 8, 8]"),
        ("nobody", wrong, "404", "nobody"),
    ):
        try:
            client.infer(model, [tensor(values, "FP32")])
            raise AssertionError(f"{model} answered")
        except InferenceServerException as error:
            assert error.status() == status and text in error.message(), error


def check_statistics(client):
    stats = client.get_inference_statistics(MODEL)["model_stats"][0]
    assert stats["inference_count"] >= stats["execution_count"] > 0, stats
    assert stats["inference_stats"]["success"]["count"] > 0, stats
    assert client.get_inference_statistics()["model_stats"][0]["name"] == MODEL


def check_repository(client):
    def listed():
        return [(entry["version"], entry["state"]) for entry in client.get_model_repository_index()]

    assert listed() == [("1", "READY")], listed()
    client.unload_model(MODEL)
    assert listed() == [("1", "UNAVAILABLE")] and not client.is_model_ready(MODEL), listed()
    client.load_model(MODEL)
    assert listed() == [("1", "READY")] and client.is_model_ready(MODEL), listed()


def refused(work, status, text):
    try:
        work()
    except InferenceServerException as error:
        assert error.status() == status and text in error.message(), error
        return
    raise AssertionError(f"{status} was expected")


def check_settings(client):
    assert {"logging", "trace"} <= set(client.get_server_metadata()["extensions"])
    before = client.get_log_settings()
    assert before["log_file"] == "" and before["log_format"] == "default", before
    changed = client.update_log_settings({"log_verbose_level": 1, "log_info": False})
    assert changed == before | {"log_verbose_level": 1, "log_info": False} == client.get_log_settings(), changed
    kept = ["log_info", "log_warning", "log_error", "log_verbose_level"]
    assert client.update_log_settings({name: before[name] for name in kept}) == before
    refused(lambda: client.update_log_settings({"log_file": "/tmp/log"}), "400", "log_file cannot be changed")
    traces = client.get_trace_settings()
    assert traces["trace_level"] == ["OFF"] and traces["trace_mode"] == "opentelemetry", traces
    assert client.get_trace_settings(model_name=MODEL) == traces
    assert client.update_trace_settings(settings={"trace_level": ["OFF"], "trace_rate": None}) == traces
    wanted = {"trace_level": ["TIMESTAMPS"]}
    refused(lambda: client.update_trace_settings(settings=wanted), "400", "--otlp-endpoint")
    refused(lambda: client.update_trace_settings(MODEL, wanted), "400", "one of the server")
    refused(lambda: client.get_trace_settings("nobody"), "404", "nobody")


def main(url):
    expected = json.load(sys.stdin)

    def close(found, wanted):
        difference = numpy.abs(found.reshape(-1) - wanted.reshape(-1)).max()
        assert difference <= expected["tolerance"], difference

    client = triton.InferenceServerClient(url.removeprefix("http://"))
    check_metadata(client)
    check_tensors(client, expected, close)
    check_images(client, expected, close)
    check_errors(client)
    check_statistics(client)
    check_settings(client)
    check_repository(client)
    print("ok")


main(sys.argv[1])
