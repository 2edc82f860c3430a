"""Runs one model in one runtime."""

import dataclasses
import json
import re
import signal
import subprocess

LIMIT_S = 300
# What is kept of a runtime's words.
LETTERS = 300
# The folders before a file's name: those of this machine say nothing to others.
FOLDERS = re.compile(r"(?<![\w./])/(?:[^\s/'\",:=()\[\]]+/)+")
# Signals by which somebody else ends a process; by others it ends itself.
KILLED = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}


@dataclasses.dataclass
class Result:
    """What came of one model in one runtime: `samples` holds the error of every output by golden sample, or the runtime's
    words. A refusal is `passing` when another try may end otherwise."""

    version: str = ""
    fixed: bool = False
    samples: dict = dataclasses.field(default_factory=dict)
    refusal: str = ""
    passing: bool = False

    def __post_init__(self):
        self.refusal = shortened(self.refusal)
        self.samples = {key: shortened(found) if isinstance(found, str) else found for key, found in self.samples.items()}

    @property
    def words(self):
        """What the runtime says instead of giving numbers."""
        return self.refusal or next((found for found in self.samples.values() if isinstance(found, str)), "")

    @property
    def error(self):
        """The largest absolute error over all outputs and batch sizes."""
        return max((max(found.values()) for found in self.samples.values() if isinstance(found, dict)), default=None)

    def good(self, file):
        """Whether every batch size gave the golden numbers."""
        return not self.words and self.error is not None and self.error <= file.tolerance


def shortened(words):
    """A runtime's words on one line, without the folders of this machine."""
    return FOLDERS.sub("", " ".join(words.split()))[:LETTERS]


def run(home, file, folder):
    """One model in one runtime, in a process of its own."""
    if home.refusal:
        return Result(refusal=home.refusal, passing=True)
    runtime = home.runtime
    work = folder / f"work-{runtime.adapter}-{file.path.stem}"
    work.mkdir(exist_ok=True)
    words = home.command(file, work)
    try:
        done = subprocess.run(words, cwd=work, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return Result(refusal=f"no answer within {LIMIT_S} s", passing=True)
    except OSError as error:
        return Result(refusal=f"cannot be started: {error}", passing=True)
    if runtime.kind == "verify":
        return verified(runtime.adapter, done, runtime.version)
    last = done.stdout.strip().splitlines()[-1:] or [""]
    if done.returncode != 0 or not last[0].startswith("{"):
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        killed = done.returncode in KILLED
        return Result(refusal=f"the process ended with {done.returncode} and said: {said[0]}", passing=killed)
    return Result(**json.loads(last[0]))


def verified(runtime, done, version):
    """The rows of one runtime in the table that `selfie verify` prints."""
    samples, head = {}, []
    for line in done.stdout.splitlines():
        fields = re.split(r"\s{2,}", line.strip())
        if fields[0] == "runtime":
            head = fields
        row = dict(zip(head, fields))
        if row.get("runtime") != runtime:
            continue
        batch, output = row["batch"], row["output"]
        found = samples.setdefault(batch, {})
        if row["result"] not in ("ok", "differs"):
            samples[batch] = row["result"]
        elif isinstance(found, dict):
            found[output] = max(found.get(output, 0.0), float(row["largest error"]))
    if samples:
        return Result(version=version, samples=samples)
    said = done.stderr.strip() or f"`selfie runtime install` brings {runtime}"
    return Result(version=version, refusal=f"selfie verify did not compare it: {said}", passing=True)
