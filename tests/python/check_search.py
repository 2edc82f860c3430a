"""Compares `/v1/search` with numpy: the same order, and scores that differ by no more than 64-bit floats do.

Arguments: the server, then files that are its galleries, each .npy or .parquet.
"""

import json
import pathlib
import sys
import urllib.request

import numpy
import pyarrow.parquet

# Two ways to sum some hundred 64-bit products.
SCORE_TOLERANCE = 1e-12


def ask(server, body):
    request = urllib.request.Request(
        f"{server}/v1/search", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"]


def read(path):
    if path.suffix == ".npy":
        beside = json.loads(path.with_suffix(".ids.json").read_text())
        return numpy.load(path), beside["ids"], beside["labels"]
    table = pyarrow.parquet.read_table(path, columns=["id", "label", "vector"])
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(len(table), -1)
    return vectors, table["id"].to_pylist(), table["label"].to_pylist()


def cosines(vectors, query):
    """Row by row, so that the same vectors have the same score."""
    lengths = numpy.sqrt((vectors * vectors).sum(axis=1))
    return (vectors * query).sum(axis=1) / lengths / numpy.sqrt((query * query).sum())


server = sys.argv[1]
for path in map(pathlib.Path, sys.argv[2:]):
    vectors, ids, labels = read(path)
    wide = vectors.astype(numpy.float64)
    noise = numpy.random.default_rng(1).standard_normal((2, wide.shape[1])).astype(numpy.float32)
    queries = numpy.concatenate([noise, vectors[[0, 3, len(vectors) // 2]]])
    label = next(label for label in labels if label is not None)
    for wanted in [None, label]:
        body = {"gallery": path.stem, "vector": queries.tolist(), "k": 100}
        if wanted:
            body["label"] = wanted
        found = ask(server, body)
        assert len(found) == len(queries)
        rows = numpy.array([wanted is None or label == wanted for label in labels]).nonzero()[0]
        for query, answer in zip(queries.astype(numpy.float64), found):
            scores = cosines(wide[rows], query)
            order = numpy.argsort(-scores, kind="stable")[:100]
            assert [hit["id"] for hit in answer["neighbours"]] == [ids[row] for row in rows[order]], path
            assert [hit["label"] for hit in answer["neighbours"]] == [labels[row] for row in rows[order]], path
            given = numpy.array([hit["score"] for hit in answer["neighbours"]])
            assert numpy.abs(given - scores[order]).max() <= SCORE_TOLERANCE, path
print("ok")
