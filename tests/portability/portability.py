#!/usr/bin/env python3
"""Runs every exported model in every runtime and writes docs/portability.md. Needs Python, cargo, and npm for two runtimes.

    tests/portability/portability.py --selfie target/release/selfie            # all
    tests/portability/portability.py --selfie target/release/selfie --quick    # what the test command runs
    tests/portability/portability.py --install "Burn" --install "browser"      # what that needs beforehand
    tests/portability/portability.py --selfie target/release/selfie --examples # the programs of examples/rust, built and run

Each model in each runtime is one process with a time limit; the numbers are compared with the golden samples in the
file, at every batch size they have. What was trained and measured is kept under target/portability: a run that was stopped
goes on where it was, and a runtime is asked again when its version, its adapter or the bytes of the model have changed, or
when it gave no answer for a reason that may pass: it could not be installed, or the process was killed or took too long.
"""

import argparse
import pathlib
import sys
import tempfile

import burn_onnx
import files
import report
import rust_examples
from home import Home
from models import MODELS, RUNS
from results import Results
from run import run
from runtimes import RUNTIMES

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selfie", type=pathlib.Path, help="the binary that trains, compiles, verifies")
    parser.add_argument("--quick", action="store_true", help="few models and runtimes, no packages, nothing is written")
    parser.add_argument("--examples", action="store_true", help="build and run examples/rust, and no more")
    parser.add_argument("--python", default=sys.executable, help="with --quick: a Python with onnx and onnxruntime")
    parser.add_argument("--only", action="append", help="run only runtimes with this in their title")
    parser.add_argument("--models", action="append", help="run only models with this in their title; writes no document")
    parser.add_argument("--discard", action="store_true", help="delete what was installed for a runtime after its last model")
    parser.add_argument("--install", action="append", help="install runtimes with this in their title, and no more")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "target" / "portability", help="where all is kept")
    options = parser.parse_args()
    if not options.selfie and not options.install:
        parser.error("--selfie names the binary whose files are compared")
    return options


def measure(home, models, made, folder, keep):
    """Runs what is asked of one runtime, and hands on each result."""
    refusals = {}
    if home.runtime.adapter == "burn-onnx":
        wanted = {model.title: made[model.title] for model in models}
        refusals = burn_onnx.take_in(home, wanted, folder / "burn-onnx")
    for model in models:
        file = made[model.title]
        result = refusals.get(model.title) or run(home, file, folder)
        print(f"{home.runtime.title} · {model.title}: {report.cell(result, file)}", flush=True)
        keep(model, result)


def quick(options, selfie):
    """The quick part: every model is expected to run."""
    models = [model for model in MODELS if model.quick]
    folder = options.cache / "quick"
    with tempfile.TemporaryDirectory() as runs:
        made = files.make_models(selfie, files.train(selfie, RUNS, pathlib.Path(runs)), models, folder, ROOT)
    wrong = []

    def keep(model, result):
        if not result.good(made[model.title]):
            wrong.append(f"{model.title}: {result.words or result.error}")

    for runtime in (runtime for runtime in RUNTIMES if runtime.quick):
        with Home(runtime, selfie, options.cache, pathlib.Path(options.python).absolute()) as home:
            measure(home, models, made, folder, keep)
    if wrong:
        sys.exit("\n".join(["a runtime differs or refuses; each of them is expected to run every model", *wrong]))


def chosen(title, parts):
    return not parts or any(part in title for part in parts)


def full(options, selfie):
    """Everything that is not known yet; the document is written after each runtime, unless it would lack models."""
    folder = options.cache / "models"
    runs = files.train(selfie, RUNS, options.cache / "runs")
    models = {model.title: model for runtime in RUNTIMES for model in runtime.models() if chosen(model.title, options.models)}
    made = files.make_models(selfie, runs, models.values(), folder, ROOT)
    results = Results(options.cache / "results")
    for runtime in RUNTIMES:
        if chosen(runtime.title, options.only):
            asked = [model for model in runtime.models() if model.title in made]
            missing = [model for model in asked if not results.find(runtime, made[model.title])]
            if missing:
                with Home(runtime, selfie, options.cache, discard=options.discard) as home:
                    measure(home, missing, made, folder, lambda m, r: results.keep(runtime, made[m.title], r))
                if not options.models:
                    report.write(ROOT, made, results)
    if not options.models:
        report.write(ROOT, made, results)


def install(options):
    """What takes long in the quick part and in the tests of examples, and nothing else."""
    for runtime in RUNTIMES:
        if any(part in runtime.title for part in options.install):
            with Home(runtime, None, options.cache, keep=True) as home:
                if home.refusal:
                    sys.exit(f"{runtime.title} {home.refusal}")


def main():
    options = arguments()
    options.cache = options.cache.resolve()
    if options.install:
        install(options)
    elif options.examples:
        rust_examples.compare(ROOT, options.cache, options.selfie.resolve())
    else:
        (quick if options.quick else full)(options, options.selfie.resolve())


if __name__ == "__main__":
    main()
