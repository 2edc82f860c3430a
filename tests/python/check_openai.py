"""Talks to a server as OpenAI's client does: embeddings of images in its default form and others, also vLLM's, models, errors."""

import base64
import json
import sys

import numpy
import openai


def check_embeddings(client, expected, close):
    images, vectors = expected["images"], numpy.array(expected["vectors"], dtype=numpy.float32)
    # The client asks for base64 when it is not told otherwise, and decodes it.
    answer = client.embeddings.create(model="net", input=images)
    assert answer.model == "net" and answer.object == "list" and answer.usage.total_tokens == 0, answer
    assert [item.index for item in answer.data] == [0, 1, 2]
    close(numpy.array([item.embedding for item in answer.data]), vectors)
    one = client.embeddings.create(model="net", input=f"data:image/png;base64,{images[0]}", encoding_format="float")
    close(numpy.array(one.data[0].embedding), vectors[0])
    short = client.embeddings.create(model="net", input=images, dimensions=2)
    cut = vectors[:, :2] / numpy.linalg.norm(vectors[:, :2], axis=1, keepdims=True)
    close(numpy.array([item.embedding for item in short.data]), cut)


def check_bytes(client, expected, close):
    """Vectors without JSON, in the words of vLLM."""
    images, vectors = expected["images"], numpy.array(expected["vectors"], dtype=numpy.float32)

    def ask(**options):
        create = client.embeddings.with_raw_response.create
        return create(model="net", input=images, encoding_format=options.pop("encoding_format"), extra_body=options)

    answer = ask(encoding_format="bytes")
    metadata, body = json.loads(answer.headers["metadata"]), answer.http_response.content
    assert metadata["model"] == "net" and metadata["usage"]["total_tokens"] == 0, metadata
    for item, vector in zip(metadata["data"], vectors, strict=True):
        order = {"little": "<", "big": ">"}[item["endianness"]]
        part = numpy.frombuffer(body[item["start"] : item["end"]], dtype=f"{order}f4").reshape(item["shape"])
        close(part, vector)
    answer = ask(encoding_format="bytes_only", embed_dtype="float16", endianness="big")
    assert "metadata" not in answer.headers
    halves = numpy.frombuffer(answer.http_response.content, dtype=">f2").reshape(vectors.shape)
    assert numpy.allclose(halves, vectors, rtol=2e-3, atol=2e-3), halves
    answer = ask(encoding_format="base64", embed_dtype="float16", endianness="little")
    texts = [item["embedding"] for item in json.loads(answer.text)["data"]]
    again = [numpy.frombuffer(base64.b64decode(text), dtype="<f2") for text in texts]
    assert numpy.array_equal(numpy.stack(again), halves), again


def check_models(client):
    assert sorted(model.id for model in client.models.list()) == ["net", "other"]
    assert client.models.retrieve("net").card["outputs"]["logits"]["labels"]


def check_errors(client, images):
    def refused(kind, **request):
        try:
            client.embeddings.create(**request)
        except kind as error:
            return error
        raise AssertionError(f"{request} was answered")

    error = refused(openai.NotFoundError, model="nobody", input=images[0])
    assert error.code == "model_not_found" and error.param == "model", error
    error = refused(openai.BadRequestError, model="net", input=[images[0], "a red car"])
    assert error.code == "invalid_image" and error.param == "input[1]" and error.type == "invalid_request_error", error
    # The types of vLLM in eight bits are not written here.
    error = refused(openai.BadRequestError, model="net", input=images[0], extra_body={"embed_dtype": "fp8_e4m3"})
    assert "bfloat16" in str(error), error
    error = refused(openai.BadRequestError, model="net", input=images[0], dimensions=99)
    assert error.param == "dimensions", error


def main(url):
    expected = json.load(sys.stdin)

    def close(found, wanted):
        assert found.shape == wanted.shape, (found.shape, wanted.shape)
        difference = numpy.abs(found - wanted).max()
        assert difference <= expected["tolerance"], difference

    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none is needed", max_retries=0)
    check_embeddings(client, expected, close)
    check_bytes(client, expected, close)
    check_models(client)
    check_errors(client, expected["images"])
    print("ok")


main(sys.argv[1])
