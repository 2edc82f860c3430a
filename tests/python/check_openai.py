"""Talks to a server as OpenAI's client does: embeddings of images in its default form and others, models, errors."""

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
    check_models(client)
    check_errors(client, expected["images"])
    print("ok")


main(sys.argv[1])
