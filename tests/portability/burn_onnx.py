"""burn-onnx makes Rust of every model before its program is built."""

import re
import shutil
import subprocess

from home import last_words
from run import KILLED, Result

LIMIT_S = 240


def take_in(home, files, folder):
    """Builds the networks of the files into the program of `home`; gives the refusals of those that are not in it, in the
    words of burn-onnx or of the compiler."""
    if home.refusal:
        return {}
    refusals = {}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for title, file in files.items():
        words = [home.target() / "release" / "portability", "import", folder, file.path]
        refusal = imported(words)
        if refusal:
            (folder / file.path.name).with_suffix(".rs").unlink(missing_ok=True)
            refusals[title] = refusal
    named = {file.path.stem: title for title, file in files.items()}
    while True:
        try:
            home.cargo(networks=folder)
            return refusals
        except subprocess.SubprocessError as error:
            # A network whose Rust does not compile is left out, and the rest is built again.
            said = getattr(error, "stderr", None) or ""
            wrong = re.search(r"^(error.*)\n\s*--> \S*/(model_\w+)\.rs", said, re.MULTILINE)
            if not wrong:
                home.refusal = f"cannot be installed: {last_words(error)}"
                return refusals
            (folder / f"{wrong[2]}.rs").unlink()
            refusals[named[wrong[2]]] = Result(refusal=f"the Rust that it writes does not compile: {wrong[1]}")


def imported(words):
    """What burn-onnx says when it makes no Rust of a model."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return Result(refusal=f"import: no answer within {LIMIT_S} s", passing=True)
    return Result(refusal=panic(done.stderr), passing=done.returncode in KILLED) if done.returncode else None


def panic(text):
    """The message of a panic."""
    lines = text.strip().splitlines()
    start = next((index for index, line in enumerate(lines) if "panicked at" in line), -1) + 1
    end = next((index for index, line in enumerate(lines) if line.startswith(("stack backtrace:", "note:"))), None)
    return f"import: {' '.join(lines[start:end]) or 'nothing'}"
