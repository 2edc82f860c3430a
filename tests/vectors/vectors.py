"""The examples for vector databases find the neighbours that `POST /v1/search` finds.

    python3 tests/vectors/vectors.py

Makes an environment of their packages under target/ (some hundred megabytes), embeds images of the bundled sample, and compares."""

import argparse
import gzip
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import urllib.request
import venv
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "train/assets/fashion-mnist-sample"
REQUIREMENTS = ROOT / "tests/vectors/requirements.txt"
PACKAGES = ROOT / "target/vectors"
EXAMPLES = ["lancedb_search.py", "qdrant_search.py", "duckdb_search.py"]
SIDE = 28
GALLERY = 300
QUERIES = 5
# They compute in 32 bits.
TOLERANCE = 1e-5


def python():
    """The Python with the packages."""
    program, noted = PACKAGES / "bin/python", PACKAGES / "requirements.txt"
    if not noted.exists() or noted.read_text() != REQUIREMENTS.read_text():
        venv.create(PACKAGES, with_pip=True, clear=True)
        install = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        subprocess.run(install, check=True)
        noted.write_text(REQUIREMENTS.read_text())
    return program


def png(pixels):
    """A grey image as PNG."""
    rows = b"".join(b"\0" + pixels[start : start + SIDE] for start in range(0, len(pixels), SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def images():
    """The test images of the sample as PNG, with their classes."""
    read = lambda name, skip: gzip.decompress((SAMPLE / name).read_bytes())[skip:]
    pixels, labels = read("t10k-images-idx3-ubyte.gz", 16), read("t10k-labels-idx1-ubyte.gz", 8)
    return [(png(pixels[SIDE * SIDE * row :][: SIDE * SIDE]), label) for row, label in enumerate(labels)]


def searched(address, image):
    request = urllib.request.Request(f"{address}/v1/search?k=5", image, {"content-type": "image/png"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"][0]["neighbours"]


def compare(address, program, parquet, image):
    expected = searched(address, image.read_bytes())
    for example in EXAMPLES:
        command = [program, ROOT / "examples/python" / example, address, parquet, image]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        keys = ["id", "label"]
        places = lambda hits: [[hit[key] for key in keys] for hit in hits]
        assert places(found) == places(expected), (example, image.name, found, expected)
        for hit, other in zip(found, expected):
            assert abs(hit["score"] - other["score"]) <= TOLERANCE, (example, image.name, hit, other)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/selfie")
    parser.add_argument("--store", type=pathlib.Path, default=ROOT / "models/pretrained")
    options = parser.parse_args()
    program = python()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sample = images()
        for row, (image, label) in enumerate(sample[:GALLERY]):
            path = folder / f"images/{label}/{row:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image)
        parquet = folder / "photos.parquet"
        embed = [options.binary, "embed", "images", "--model", options.store, "--out", parquet]
        subprocess.run(embed, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        serve = [options.binary, "serve", "--models", options.store, "--gallery", parquet, "--port", "0"]
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            address = server.stdout.readline().split()[-1]
            for row, (image, _) in enumerate(sample[GALLERY : GALLERY + QUERIES]):
                path = folder / f"query-{row}.png"
                path.write_bytes(image)
                compare(address, program, parquet, path)
        finally:
            server.terminate()
            server.wait(30)
    print(f"{len(EXAMPLES)} databases find what /v1/search finds, for {QUERIES} images among {GALLERY}")


sys.exit(main())
