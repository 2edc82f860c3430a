"""burn-onnx makes Rust of every model before its program is built."""

import re
import shutil
import subprocess

from home import last_words

LIMIT_S = 240


def take_in(home, files, folder):
    """Builds the networks of the files into the program of `home`; gives what burn-onnx or the compiler says of those
    that are not in it."""
    if home.refusal:
        return {}
    refusals = {}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for title, file in files.items():
        words = [home.target() / "release" / "portability", "import", folder, file.path]
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        if done.returncode != 0:
            (folder / file.path.name).with_suffix(".rs").unlink(missing_ok=True)
            refusals[title] = panic(done.stderr)
    named = {file.path.stem: title for title, file in files.items()}
    while True:
        try:
            home.cargo(networks=folder)
            return refusals
        except subprocess.CalledProcessError as error:
            # A network whose Rust does not compile is left out, and the rest is built again.
            wrong = re.search(r"^(error.*)\n\s*--> \S*/(model_\d+)\.rs", error.stderr, re.MULTILINE)
            if not wrong:
                home.refusal = f"cannot be installed: {last_words(error)}"
                return refusals
            (folder / f"{wrong[2]}.rs").unlink()
            refusals[named[wrong[2]]] = f"the Rust that it writes does not compile: {wrong[1]}"


def panic(text):
    """The message of a panic."""
    lines = text.strip().splitlines()
    start = next((index for index, line in enumerate(lines) if "panicked at" in line), -1) + 1
    end = next((index for index, line in enumerate(lines) if line.startswith(("stack backtrace:", "note:"))), None)
    return f"import: {' '.join(lines[start:end])[:300] or 'nothing'}"
