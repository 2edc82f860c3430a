"""Makes the models, installs a runtime, and runs one model in one runtime."""

import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import venv

ADAPTERS = pathlib.Path(__file__).resolve().parent / "adapters"
TOLERANCE = 1e-4
LIMIT_S = 240
INSTALL_LIMIT_S = 1800
BATCHES = (1, 2, 7)


@dataclasses.dataclass(frozen=True)
class File:
    """A model file and the golden samples in it."""

    path: pathlib.Path
    card: pathlib.Path


@dataclasses.dataclass
class Result:
    """What came of one model in one runtime: `batches` holds the error of every output, or the runtime's words."""

    version: str = ""
    fixed: bool = False
    batches: dict = dataclasses.field(default_factory=dict)
    refusal: str = ""

    @property
    def words(self):
        """What the runtime says instead of giving numbers."""
        return self.refusal or next((found for found in self.batches.values() if isinstance(found, str)), "")

    @property
    def error(self):
        """The largest absolute error over all outputs and batch sizes."""
        return max((max(found.values()) for found in self.batches.values() if isinstance(found, dict)), default=None)

    @property
    def good(self):
        """Whether every batch size gave the golden numbers."""
        return not self.words and self.error is not None and self.error <= TOLERANCE


def command(*words):
    """Runs a command that must succeed."""
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def make_models(selfie, runs, models, folder, root):
    """Trains the runs for a few steps and compiles every model: with a dynamic batch, and fixed to each batch size."""
    for name in {model.run for model in models if model.run}:
        command(selfie, *runs[name], "--out", folder / name)
    files = {}
    for index, model in enumerate(models):
        path = root / model.file if model.file else folder / f"model-{index}.onnx"
        if model.run:
            command(selfie, "export", folder / model.run, *model.export, "--out", path)
            for batch in BATCHES:
                fixed = path.with_name(f"{path.stem}-batch-{batch}.onnx")
                command(selfie, "export", folder / model.run, *model.export, "--batch", batch, "--out", fixed)
        card = folder / f"card-{index}.json"
        card.write_text(command(selfie, "inspect", path, "--card"), encoding="utf-8")
        files[model.name] = File(path, card)
    return files


class Home:
    """Where a runtime is installed. With `python`, nothing is installed and that Python is used."""

    def __init__(self, runtime, cache, python=None):
        self.runtime, self.python, self.node, self.refusal = runtime, python, cache / "node", ""
        if runtime.kind == "verify" or python:
            return
        try:
            self.install(cache)
        except (subprocess.SubprocessError, OSError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            self.refusal = f"cannot be installed: {said[-1] if said else error}"

    def install(self, cache):
        folder = self.node if self.runtime.kind == "node" else cache / f"venv-{self.runtime.adapter}"
        stamp, wanted = folder / f"{self.runtime.adapter}.installed", "\n".join(self.runtime.packages)
        self.python = folder / "bin" / "python"
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return
        print(f"installing {self.runtime.title}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        if self.runtime.kind == "node":
            (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
            # Scripts of packages download GPU libraries that are not used here.
            words = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", *node_packages()]
        else:
            venv.create(folder, with_pip=True)
            words = [self.python, "-m", "pip", "install", "--quiet", *self.runtime.packages]
        limits = {"capture_output": True, "text": True, "timeout": INSTALL_LIMIT_S, "check": True}
        subprocess.run(words, cwd=folder, **limits)
        stamp.write_text(wanted, encoding="utf-8")


def node_packages():
    """All packages of npm at once: an install without the others would remove them."""
    from runtimes import RUNTIMES

    return [package for runtime in RUNTIMES if runtime.kind == "node" for package in runtime.packages]


def run(home, selfie, file, folder):
    """One model in one runtime, in a process of its own."""
    if home.refusal:
        return Result(refusal=home.refusal)
    adapter = home.runtime.adapter
    work = folder / f"work-{adapter}-{file.path.parent.name}-{file.path.stem}"
    work.mkdir(exist_ok=True)
    words = {
        "python": [home.python, ADAPTERS / "adapter.py", adapter, file.path, file.card, work],
        "node": ["node", ADAPTERS / f"{adapter}.mjs", file.path, file.card, home.node],
        "verify": [selfie, "verify", file.path],
    }[home.runtime.kind]
    try:
        done = subprocess.run(words, cwd=work, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except (subprocess.TimeoutExpired, OSError) as error:
        return Result(refusal=f"no answer: {error}")
    if home.runtime.kind == "verify":
        return verified(adapter, done, home.runtime.version)
    last = done.stdout.strip().splitlines()[-1:] or [""]
    if done.returncode != 0 or not last[0].startswith("{"):
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        return Result(refusal=f"the process ended with {done.returncode} and said: {said[0][:300]}")
    return Result(**json.loads(last[0]))


def verified(runtime, done, version):
    """The rows of one runtime in the table that `selfie verify` prints."""
    result, head = Result(version=version), []
    for line in done.stdout.splitlines():
        fields = re.split(r"\s{2,}", line.strip())
        if fields[0] == "runtime":
            head = fields
        row = dict(zip(head, fields))
        if row.get("runtime") != runtime:
            continue
        if row["result"] in ("ok", "differs"):
            result.batches.setdefault(row["batch"], {})[row["output"]] = float(row["largest error"])
        else:
            result.batches[row["batch"]] = row["result"]
    if not result.batches:
        said = done.stderr.strip() or f"`selfie runtime install` brings {runtime}"
        result.refusal = f"selfie verify did not compare it: {said[:300]}"
    return result
