"""Converters, which write beside what they read or into it: they get a copy, and run in a process of their own."""

import os
import shutil
import subprocess

LINES = 2


def convert(program, *words, cwd=None):
    """Runs a program that must succeed; when it fails its words are the error."""
    done = subprocess.run([program, *words], cwd=cwd, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        said = [line.strip() for line in (done.stderr.strip() or done.stdout).splitlines() if line.strip()]
        ended = f"{os.path.basename(program)} ended with {done.returncode}"
        raise RuntimeError(f"{ended} and said: {' '.join(said[-LINES:]) or 'nothing'}")


def copied(path, folder, name=None):
    """A copy of a model under this name, with the weights that lie apart under the name that the model gives them."""
    if os.path.exists(f"{path}.data"):
        shutil.copy(f"{path}.data", folder)
    return shutil.copy(path, os.path.join(folder, name or os.path.basename(path)))
