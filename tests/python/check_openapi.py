"""Asks a server what its OpenAPI document says can be asked, and what it says cannot, with Schemathesis."""

import base64
import io
import pathlib
import re
import subprocess
import sys
import tempfile

import hypothesis.strategies
import PIL.Image
import schemathesis

HERE = pathlib.Path(__file__).resolve()
# Those of the model that is asked.
EMBEDDING_WIDTH = 4


def image(colour, format):
    bytes = io.BytesIO()
    PIL.Image.new("RGB", (9, 7), colour).save(bytes, format)
    return bytes.getvalue()


IMAGES = [image(colour, format) for colour in ["red", "navy"] for format in ["PNG", "JPEG", "WEBP", "BMP", "GIF"]]
for kind in ["image/*", "application/octet-stream"]:
    schemathesis.openapi.media_type(kind, hypothesis.strategies.sampled_from(IMAGES))
schemathesis.openapi.format(
    "image", hypothesis.strategies.sampled_from([base64.b64encode(image).decode() for image in IMAGES])
)


def fits(fields):
    """Whether the options fit the model: of dimensions it has only so many."""
    dimensions = fields.get("dimensions") if isinstance(fields, dict) else None
    return not (isinstance(dimensions, (int, float)) and dimensions > EMBEDDING_WIDTH)


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what no schema can say, and forms whose field names no form can carry."""
    is_form = case.media_type == "multipart/form-data" and isinstance(case.body, dict)
    names = list(case.body) if is_form else []
    return fits(case.body) and fits(case.query) and all(re.fullmatch(r"\w+", name, re.ASCII) for name in names)


def main(url, *arguments):
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE.with_suffix(".toml")), "run"]
    command += [f"{url}/openapi.json", "--no-color", *(arguments or ["--max-examples", "20"])]
    environment = {"SCHEMATHESIS_HOOKS": HERE.stem, "PYTHONPATH": str(HERE.parent)}
    # It keeps what it has found in the current folder.
    with tempfile.TemporaryDirectory() as folder:
        finished = subprocess.run(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    if finished.returncode != 0:
        sys.exit(finished.stdout)
    print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
