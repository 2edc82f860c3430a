"""The programs of examples/rust: built with every runtime, and run on the committed model and a JPEG, of which they must
give one embedding."""

import json
import os
import subprocess
import sys

from files import TOLERANCE, command
from home import run

NAMES = ("burn", "candle", "ort", "rten", "tract")
MODEL = "models/pretrained/fashion-mnist/1/model.onnx"
IMAGE = "fuzz/seeds/image/progressive.jpg"


def build(root, cache):
    """The folder of the programs. burn-onnx makes Rust of the model while they are built."""
    target = cache / "rust-examples"
    flags = ["--release", "--locked", "--all-features", "--target-dir", target]
    words = [os.environ.get("CARGO", "cargo"), "build", *flags]
    try:
        run(*words, cwd=root / "examples" / "rust", env={**os.environ, "MODEL": str(root / MODEL)})
    except subprocess.CalledProcessError as error:
        sys.exit(f"examples/rust does not build:\n{error.stderr[-2000:]}")
    return target / "release"


def compare(root, cache, selfie):
    """Fails unless all programs give the same numbers."""
    programs = build(root, cache)
    card = cache / "rust-examples" / "card.json"
    card.write_text(command(selfie, "inspect", root / MODEL, "--card"), encoding="utf-8")
    library = command(selfie, "runtime", "list", "--path").strip()
    environment = {**os.environ, "ORT_DYLIB_PATH": library}
    expected, wrong = None, []
    for name in NAMES:
        found = command(programs / f"{name}_embed", root / MODEL, card, root / IMAGE, env=environment)
        embedding = json.loads(found.strip().splitlines()[-1])
        expected = expected or embedding
        error = max(abs(a - b) for a, b in zip(embedding, expected, strict=True))
        print(f"{name}_embed: {len(embedding)} numbers, {error:.0e} from those of {NAMES[0]}_embed", flush=True)
        if not error <= TOLERANCE:
            wrong.append(name)
    if wrong:
        sys.exit(f"{', '.join(wrong)}: another embedding than that of {NAMES[0]}_embed")
