"""What is known already: one small file for every runtime and model, so that a run that was stopped goes on."""

import dataclasses
import functools
import hashlib
import json

from run import Result


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
        parts = (runtime.packages, runtime.bare, runtime.version, digest(file.path))
        key = hashlib.sha256(repr(parts).encode()).hexdigest()
        return self.folder / f"{runtime.adapter}-{key[:24]}.json"

    def find(self, runtime, file):
        path = self.path(runtime, file)
        return Result(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def keep(self, runtime, file, result):
        text = json.dumps(dataclasses.asdict(result))
        self.path(runtime, file).write_text(text, encoding="utf-8")
