#!/usr/bin/env python3
"""Runs every exported model in every runtime and writes docs/portability.md. Needs Python, and npm for two runtimes.

    tests/portability/portability.py --selfie target/release/selfie            # all, installs under target/portability
    tests/portability/portability.py --selfie target/release/selfie --quick    # what the test command runs

Each model in each runtime is one process with a time limit; the numbers are compared with the golden samples in the
file, at every batch size they have.
"""

import argparse
import pathlib
import sys
import tempfile

import report
import run
from models import MODELS, RUNS
from runtimes import RUNTIMES

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "target" / "portability"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selfie", type=pathlib.Path, required=True, help="the binary that trains, compiles, verifies")
    parser.add_argument("--quick", action="store_true", help="few models and runtimes, install nothing, write nothing")
    parser.add_argument("--python", default=sys.executable, help="with --quick: a Python with onnx and onnxruntime")
    parser.add_argument("--only", action="append", help="only runtimes with this in their title; writes nothing")
    return parser.parse_args()


def main():
    options = arguments()
    selfie = options.selfie.resolve()
    models = [model for model in MODELS if model.quick or not options.quick]
    chosen = [runtime for runtime in RUNTIMES if runtime.quick or not options.quick]
    if options.only:
        chosen = [runtime for runtime in chosen if any(part in runtime.title for part in options.only)]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = run.make_models(selfie, RUNS, models, folder, ROOT)
        results = {}
        for runtime in chosen:
            home = run.Home(runtime, CACHE, pathlib.Path(options.python).absolute() if options.quick else None)
            for model in models:
                result = run.run(home, selfie, files[model.name], folder)
                results[runtime.title, model.name] = result
                print(f"{runtime.title} · {model.name}: {report.cell(result)}", flush=True)
            if not options.quick and not options.only:
                # After each runtime: a run that is stopped leaves what it has.
                count = chosen.index(runtime) + 1
                report.write(ROOT, files[models[0].name].card, chosen[:count], models, results, chosen[count:])
    if options.quick and not all(result.good for result in results.values()):
        sys.exit("a runtime differs or refuses; each of them is expected to run every model")


if __name__ == "__main__":
    main()
