"""Runs one model in one runtime."""

import dataclasses
import json
import re
import subprocess

LIMIT_S = 300


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

    def good(self, file):
        """Whether every batch size gave the golden numbers."""
        return not self.words and self.error is not None and self.error <= file.tolerance


def run(home, file, folder):
    """One model in one runtime, in a process of its own."""
    if home.refusal:
        return Result(refusal=home.refusal)
    runtime = home.runtime
    work = folder / f"work-{runtime.adapter}-{file.path.stem}"
    work.mkdir(exist_ok=True)
    words = home.command(file, work)
    try:
        done = subprocess.run(words, cwd=work, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return Result(refusal=f"no answer within {LIMIT_S} s")
    except OSError as error:
        return Result(refusal=f"cannot be started: {error}")
    if runtime.kind == "verify":
        return verified(runtime.adapter, done, runtime.version)
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
