"""Talks gRPC to a server as NVIDIA's client for the inference protocol does: every call, images, classes, a stream, errors, a deadline.

    check_grpc.py HOST:PORT [CERTIFICATE]
"""

import base64
import json
import queue
import sys

import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

MODEL = "net"


def tensor(values, datatype):
    made = triton.InferInput("pixel_values", list(values.shape), datatype)
    made.set_data_from_numpy(values)
    return made


def images_of(expected):
    return numpy.array([base64.b64decode(image) for image in expected["images"]], dtype=numpy.object_)


def check_metadata(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("nobody") and not client.is_model_ready(MODEL, "2")
    assert "image_bytes" in client.get_server_metadata().extensions
    metadata = client.get_model_metadata(MODEL)
    assert list(metadata.versions) == ["1"] and metadata.platform.endswith("_onnx"), metadata
    assert (metadata.inputs[0].datatype, list(metadata.inputs[0].shape)) == ("FP32", [-1, 3, 8, 8]), metadata
    assert [output.name for output in metadata.outputs] == ["embedding", "logits"], metadata
    # As JSON every number that the client does not know would be lost, every name that we got wrong be missing.
    config = client.get_model_config(MODEL, as_json=True)["config"]
    assert config["max_batch_size"] == 32 and config["version_policy"] == {"latest": {"num_versions": 1}}, config
    assert config["input"] == [
        {"name": "pixel_values", "data_type": "TYPE_FP32", "format": "FORMAT_NCHW", "dims": ["3", "8", "8"]}
    ], config
    assert config["output"][1] == {"name": "logits", "data_type": "TYPE_FP32", "dims": ["5"]}, config
    assert config["instance_group"] == [{"name": MODEL, "count": 1, "kind": "KIND_CPU"}], config
    assert config["dynamic_batching"]["default_queue_policy"]["max_queue_size"] == 256, config
    assert config["backend"] + "_onnx" == config["platform"] and "runtime_reason" in config["parameters"], config


def check_tensors(client, expected, close):
    values = numpy.array(expected["input"], dtype=numpy.float32).reshape(2, 3, 8, 8)
    embedding, logits = (numpy.array(expected[name], dtype=numpy.float32) for name in ("embedding", "logits"))
    everything = client.infer(MODEL, [tensor(values, "FP32")], request_id="42")
    assert everything.get_response().id == "42"
    close(everything.as_numpy("embedding"), embedding)
    close(everything.as_numpy("logits"), logits)
    wanted = [triton.InferRequestedOutput("logits")]
    answer = client.infer(MODEL, [tensor(values, "FP32")], outputs=wanted, model_version="1")
    close(answer.as_numpy("logits"), logits)
    assert answer.as_numpy("embedding") is None
    classes = [triton.InferRequestedOutput("logits", class_count=3)]
    best = client.infer(MODEL, [tensor(values, "FP32")], outputs=classes).as_numpy("logits")
    assert best.shape == (2, 3), best.shape
    for row, scores in zip(best, logits.reshape(2, -1)):
        for found, index in zip(row, numpy.argsort(-scores, kind="stable")):
            value, position, label = found.decode().split(":")
            assert int(position) == index and label == f"class {index}", (found, scores)
            close(numpy.float32(value), scores[index])
    for algorithm in ("gzip", None):
        packed = client.infer(MODEL, [tensor(values, "FP32")], compression_algorithm=algorithm)
        close(packed.as_numpy("embedding"), embedding)
    answers = queue.Queue()
    client.async_infer(MODEL, [tensor(values, "FP32")], lambda result, error: answers.put((result, error)))
    result, error = answers.get(timeout=60)
    assert error is None, error
    close(result.as_numpy("embedding"), embedding)


def check_images(client, expected, close):
    images, vectors = images_of(expected), numpy.array(expected["vectors"], dtype=numpy.float32)
    close(client.infer(MODEL, [tensor(images, "BYTES")]).as_numpy("embedding"), vectors)
    close(client.infer(MODEL, [tensor(images.reshape(-1, 1), "BYTES")]).as_numpy("embedding"), vectors)


def check_stream(client, expected, close):
    images, vectors = images_of(expected), numpy.array(expected["vectors"], dtype=numpy.float32)
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    broken = numpy.array([b"nothing"], dtype=numpy.object_)
    sent = [images[:1], images[1:2], broken, images[2:]]
    for number, image in enumerate(sent):
        client.async_stream_infer(MODEL, [tensor(image, "BYTES")], request_id=str(number))
    for number in range(len(sent)):
        result, error = answers.get(timeout=60)
        if number == 2:
            assert "image 0" in error.message(), error
        else:
            assert error is None and result.get_response().id == str(number), (error, number)
            close(result.as_numpy("embedding"), vectors[number if number < 2 else 2])
    client.stop_stream()


def refused(work, status, text):
    try:
        work()
    except InferenceServerException as error:
        assert error.status() == status and text in error.message(), error
        return
    raise AssertionError(f"{status} was expected")


def check_errors(client, expected):
    wrong = numpy.zeros((1, 3, 9, 8), dtype=numpy.float32)
    values = numpy.zeros((1, 3, 8, 8), dtype=numpy.float32)
    nothing = numpy.array([b"nothing"], dtype=numpy.object_)
    invalid, unknown = "StatusCode.INVALID_ARGUMENT", "StatusCode.NOT_FOUND"
    refused(lambda: client.infer(MODEL, [tensor(wrong, "FP32")]), invalid, "takes [batch, 3, 8, 8]")
    refused(lambda: client.infer(MODEL, [tensor(nothing, "BYTES")]), invalid, "image 0")
    refused(lambda: client.infer("nobody", [tensor(values, "FP32")]), unknown, "nobody")
    refused(lambda: client.get_model_metadata("nobody"), unknown, "nobody")
    refused(lambda: client.get_model_config(MODEL, "2"), unknown, "version 1 is served")
    refused(lambda: client.load_model(MODEL, config="{}"), invalid, "put the model into the store")
    refused(lambda: client.load_model("nobody"), unknown, "the store holds: net")
    many = images_of(expected).repeat(50)
    refused(lambda: client.infer(MODEL, [tensor(many, "BYTES")]), "StatusCode.OUT_OF_RANGE", "at most 128")
    late = "StatusCode.DEADLINE_EXCEEDED"
    refused(lambda: client.infer(MODEL, [tensor(values, "FP32")], timeout=1), late, "may wait")
    # When this is answered the late one is out of the queue as well: behind it, the next would be refused at once.
    assert client.infer(MODEL, [tensor(values, "FP32")], client_timeout=60, timeout=60_000_000) is not None
    refused(lambda: client.infer(MODEL, [tensor(many[:126], "BYTES")], client_timeout=0.001), late, "")


def check_statistics(client):
    stats = client.get_inference_statistics(MODEL).model_stats[0]
    assert stats.inference_count >= stats.execution_count > 0, stats
    assert stats.inference_stats.success.count > 0 and stats.inference_stats.compute_infer.ns > 0, stats
    assert stats.batch_stats[0].compute_infer.count > 0, stats
    assert client.get_inference_statistics().model_stats[0].name == MODEL


def check_repository(client):
    def listed():
        return [(model.version, model.state) for model in client.get_model_repository_index().models]

    assert listed() == [("1", "READY")], listed()
    client.unload_model(MODEL)
    assert listed() == [("1", "UNAVAILABLE")] and not client.is_model_ready(MODEL), listed()
    client.load_model(MODEL)
    assert listed() == [("1", "READY")] and client.is_model_ready(MODEL), listed()


def check_settings(client):
    def settings(answer):
        choice = lambda value: getattr(value, value.WhichOneof("parameter_choice"))
        return {name: choice(value) for name, value in answer.settings.items()}

    before = settings(client.get_log_settings())
    assert before["log_file"] == "" and before["log_format"] == "default", before
    changed = settings(client.update_log_settings({"log_verbose_level": 2, "log_warning": False}))
    expected = before | {"log_verbose_level": 2, "log_warning": False}
    assert changed == expected == settings(client.get_log_settings()), changed
    kept = ["log_info", "log_warning", "log_error", "log_verbose_level"]
    assert settings(client.update_log_settings({name: before[name] for name in kept})) == before
    invalid = "StatusCode.INVALID_ARGUMENT"
    refused(lambda: client.update_log_settings({"log_format": "ISO8601"}), invalid, "log_format cannot be changed")
    traces = client.get_trace_settings()
    assert list(traces.settings["trace_level"].value) == ["OFF"], traces
    assert client.get_trace_settings(MODEL) == traces
    assert client.update_trace_settings(settings={"trace_level": "OFF", "trace_rate": None}) == traces
    wanted = {"trace_level": ["TIMESTAMPS"]}
    refused(lambda: client.update_trace_settings(settings=wanted), invalid, "--otlp-endpoint")
    refused(lambda: client.update_trace_settings(MODEL, wanted), invalid, "one of the server")
    refused(lambda: client.get_trace_settings("nobody"), "StatusCode.NOT_FOUND", "nobody")


def main(address, certificate=None):
    expected = json.load(sys.stdin)

    def close(found, wanted):
        difference = numpy.abs(found.reshape(-1) - wanted.reshape(-1)).max()
        assert difference <= expected["tolerance"], difference

    client = triton.InferenceServerClient(address, ssl=certificate is not None, root_certificates=certificate)
    check_metadata(client)
    check_tensors(client, expected, close)
    check_images(client, expected, close)
    check_stream(client, expected, close)
    check_errors(client, expected)
    check_statistics(client)
    check_settings(client)
    check_repository(client)
    client.close()
    print("ok")


main(*sys.argv[1:])
