"""Runs a converter in a process of its own; when it fails its words are the error."""

import os
import subprocess

LINES = 2


def convert(program, *words, cwd=None):
    """Runs a program that must succeed."""
    done = subprocess.run([program, *words], cwd=cwd, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        said = [line.strip() for line in (done.stderr.strip() or done.stdout).splitlines() if line.strip()]
        ended = f"{os.path.basename(program)} ended with {done.returncode}"
        raise RuntimeError(f"{ended} and said: {' '.join(said[-LINES:]) or 'nothing'}")
