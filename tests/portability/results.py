"""What is known already: one small file for every runtime and model, so that a run that was stopped goes on."""

import dataclasses
import functools
import hashlib
import json
import pathlib

from run import Result


HERE = pathlib.Path(__file__).resolve().parent
# What runs a model, by the kind of the runtime; `{}` is its adapter.
SOURCES = {
    "python": ("adapters/adapter.py", "adapters/convert.py", "adapters/{}.py"),
    "node": ("adapters/golden.mjs", "adapters/browser.mjs", "adapters/{}.mjs"),
    "rust": ("rust/Cargo.lock", "rust/build.rs", "rust/src/*.rs"),
    "verify": (),
}


@functools.cache
def digest(path):
    """The SHA-256 of a file that does not change while this program runs."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Results:
    """Results by runtime and the bytes of the model."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, runtime, file):
        globs = [pattern.format(runtime.adapter) for pattern in SOURCES[runtime.kind]]
        sources = [digest(path) for pattern in globs for path in sorted(HERE.glob(pattern))]
        parts = (runtime.packages, runtime.bare, runtime.version, sources, digest(file.path))
        key = hashlib.sha256(repr(parts).encode()).hexdigest()
        return self.folder / f"{runtime.adapter}-{key[:24]}.json"

    def find(self, runtime, file):
        path = self.path(runtime, file)
        return Result(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def keep(self, runtime, file, result):
        """Keeps a result, unless another try may end otherwise."""
        if result.passing:
            return
        text = json.dumps(dataclasses.asdict(result))
        self.path(runtime, file).write_text(text, encoding="utf-8")
