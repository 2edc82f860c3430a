"""Makes the model files."""

import base64
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

TOLERANCE = 1e-4
BATCHES = (1, 2, 7)
LIMIT_S = 240
# Building the tests of the compiler where they are not built yet.
BUILD_LIMIT_S = 3600


@dataclasses.dataclass(frozen=True)
class File:
    """A model file, its golden samples, and how far an answer may be off."""

    path: pathlib.Path
    card: pathlib.Path
    tolerance: float


def command(*words, limit=LIMIT_S, **options):
    """Runs a command that must succeed."""
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=limit, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def make_models(selfie, runs, models, folder, root):
    """Compiles every model that this binary has not made yet: with a dynamic batch, and fixed to each batch size. `runs`
    are folders by name."""
    folder = folder / hashlib.sha256(selfie.read_bytes()).hexdigest()[:16]
    # What another binary made.
    for other in folder.parent.glob("*"):
        if other != folder:
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    networks = folder / "networks"
    if any(model.network for model in models) and not networks.is_dir():
        part = networks.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        write_networks(part, root)
        part.rename(networks)
    folder.mkdir(parents=True, exist_ok=True)
    return {model.title: make(selfie, model, runs, folder, root) for model in models}


def train(selfie, runs, folder):
    """The folders of the runs by name, each trained for a few steps with its arguments unless it is there already."""
    return {name: trained(selfie, words, folder) for name, words in runs.items()}


def trained(selfie, words, folder):
    run = folder / hashlib.sha256("\0".join(words).encode()).hexdigest()
    if not run.is_dir():
        part = run.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        command(selfie, *words, "--out", part)
        part.rename(run)
    return run


def write_networks(folder, root):
    """The tests of the compiler write their networks with what Burn answers."""
    test = ["--test", "networks", "--", "--ignored", "--exact", "golden::ten_networks_are_written"]
    words = [os.environ.get("CARGO", "cargo"), "test", "--release", "--workspace", *test]
    command(*words, limit=BUILD_LIMIT_S, cwd=root, env={**os.environ, "SELFIE_NETWORKS": str(folder)})


def make(selfie, model, runs, folder, root):
    """One file and its card under names that every runtime takes. The card is written last."""
    made_of = repr((model, model.run and runs[model.run].name))
    place = folder / f"model_{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    path, card = place.with_suffix(".onnx"), place.with_suffix(".json")
    if model.network:
        written = folder / "networks" / "-".join(filter(None, [model.name, model.target]))
        for copy in (path, card):
            shutil.copy(f"{written}{copy.suffix}", copy)
        return File(path, card, TOLERANCE * scale(card))
    if not card.is_file():
        target = ["--target", model.target] if model.target else []
        if model.file and not target:
            shutil.copy(root / model.file, path)
        elif model.file:
            command(selfie, "export", root / model.file, *target, "--out", path)
        else:
            export = [selfie, "export", runs[model.run], *model.export, *target]
            command(*export, "--out", path)
            for batch in BATCHES:
                command(*export, "--batch", batch, "--out", path.with_name(f"{path.stem}-batch-{batch}.onnx"))
        card.write_text(command(selfie, "inspect", path, "--card"), encoding="utf-8")
    golden = json.loads(card.read_text(encoding="utf-8"))["golden"]
    return File(path, card, max(sample["tolerance"] for sample in golden) if model.lowered else TOLERANCE)


def scale(card):
    """The largest number that is expected, if it is more than one: networks with drawn weights give large ones."""
    golden = json.loads(card.read_text(encoding="utf-8"))["golden"]
    packed = [base64.b64decode(output["data"]) for sample in golden for output in sample["outputs"].values()]
    return max(1.0, *(abs(value) for data in packed for (value,) in struct.iter_unpack("<f", data)))
