"""Compares the map of a gallery with numpy's SVD, up to the sign of an axis, and its answers with the OpenAPI document.

Arguments: the server, then files that are its galleries, each .npy or .parquet.
"""

import io
import json
import pathlib
import sys

import numpy
import PIL.Image
import pyarrow.parquet
import schemathesis

# Points are 32-bit floats, and vectors have length 1.
POINT_TOLERANCE = 1e-5
MOST_POINTS = 20_000


def read(path):
    if path.suffix == ".npy":
        return numpy.load(path), json.loads(path.with_suffix(".ids.json").read_text())["ids"]
    table = pyarrow.parquet.read_table(path, columns=["id", "vector"])
    return table["vector"].combine_chunks().flatten().to_numpy().reshape(len(table), -1), table["id"].to_pylist()


def unit(vectors):
    wide = vectors.astype(numpy.float64)
    lengths = numpy.sqrt((wide * wide).sum(axis=1, keepdims=True))
    return numpy.divide(wide, lengths, out=numpy.zeros_like(wide), where=lengths > 0)


def close(found, expected, what):
    error = numpy.abs(numpy.asarray(found) - expected).max()
    assert error <= POINT_TOLERANCE, f"{what}: {error}"


server = sys.argv[1]
api = schemathesis.openapi.from_url(f"{server}/openapi.json")


def ask(method, path, **request):
    """The answer, which is as the document says."""
    return api[path][method].Case(**request).call_and_validate()


for path in map(pathlib.Path, sys.argv[2:]):
    vectors, ids = read(path)
    units = unit(vectors)
    mean = units.mean(axis=0)
    _, sides, axes = numpy.linalg.svd(units - mean, full_matrices=False)
    gallery = {"gallery": path.stem}
    answer = ask("GET", "/v1/galleries/{gallery}/map", path_parameters=gallery).json()
    count = min(len(vectors), MOST_POINTS)
    rows = [place * len(vectors) // count for place in range(count)]
    assert answer["rows"] == rows and answer["ids"] == [ids[row] for row in rows], path
    assert answer["vectors"] == answer["sample"] == len(vectors), path
    close(answer["variance"], (sides**2 / (sides**2).sum())[:2], f"{path}, variance")
    points = (units - mean) @ axes[:2].T
    found = numpy.array(answer["points"])
    signs = numpy.sign((found * points[rows]).sum(axis=0))
    close(found, points[rows] * signs, f"{path}, points")

    query = numpy.random.default_rng(3).standard_normal((1, vectors.shape[1])).astype(numpy.float32)
    body = {**gallery, "vector": query[0].tolist(), "k": 3, "map": True}
    searched = ask("POST", "/v1/search", body=body, media_type="application/json").json()["data"][0]
    close(searched["map"], ((unit(query) - mean) @ axes[:2].T * signs)[0], f"{path}, query")
    if path.suffix == ".parquet":
        row = searched["neighbours"][0]["row"]
        picture = ask("GET", "/v1/galleries/{gallery}/thumbnails/{row}", path_parameters={**gallery, "row": row})
        assert PIL.Image.open(io.BytesIO(picture.content)).format == "JPEG", path
print("ok")
