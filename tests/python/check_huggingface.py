"""Asks a server as Hugging Face's client does, by the task `image-classification`, and as `text-embeddings-inference` is asked."""

import base64
import json
import sys

import huggingface_hub
import numpy


def softmax(scores):
    powers = numpy.exp(scores - scores.max())
    return powers / powers.sum()


def main(url):
    expected = json.load(sys.stdin)
    images, labels = expected["images"], expected["labels"]
    logits = numpy.array(expected["logits"], dtype=numpy.float64)
    predict = f"{url}/predict"
    client = huggingface_hub.InferenceClient(model=predict, token="none is needed")

    def check(found, scores):
        """The best classes come first, each with its score."""
        assert found, "no class"
        order = numpy.argsort(-scores, kind="stable")[: len(found)]
        assert [item.label for item in found] == [labels[index] for index in order], found
        difference = numpy.abs(numpy.array([item.score for item in found]) - scores[order]).max()
        assert difference <= expected["tolerance"], difference

    for image, row in zip(images, logits, strict=True):
        image = base64.b64decode(image)
        found = client.image_classification(image)
        assert len(found) == len(labels), found
        check(found, softmax(row))
        found = client.image_classification(image, top_k=2)
        assert len(found) == 2, found
        check(found, softmax(row))
        check(client.image_classification(image, function_to_apply="none"), row)
        check(client.image_classification(image, function_to_apply="sigmoid"), 1 / (1 + numpy.exp(-row)))

    element = huggingface_hub.ImageClassificationOutputElement
    for inputs in (images, [[image] for image in images], images[:1]):
        answer = huggingface_hub.get_session().post(predict, json={"inputs": inputs, "raw_scores": True})
        assert answer.status_code == 200, answer.text
        for found, row in zip(answer.json(), logits[: len(inputs)], strict=True):
            check(element.parse_obj_as_list(found), row)
    try:
        client.image_classification(b"a red car")
    except huggingface_hub.errors.HfHubHTTPError as error:
        assert error.response.status_code == 400 and "not an image" in str(error), error
    else:
        raise AssertionError("a red car was classified")
    print("ok")


main(sys.argv[1])
