"""docs/portability.md, and the line of the README between its markers."""

import datetime
import json

START, END = "<!-- portability -->", "<!-- /portability -->"


def cell(result):
    """One field of the table."""
    if result.words:
        return "refuses"
    text = f"{result.error:.0e}".replace("e-0", "e-")
    return text if result.good else f"**{text}**"


def counts(runtimes, models, results):
    """The titles that run every model, and those that run some."""
    good = {runtime.title: sum(results[runtime.title, model.name].good for model in models) for runtime in runtimes}
    every = [title for title, count in good.items() if count == len(models)]
    some = [title for title, count in good.items() if 0 < count < len(models)]
    return every, some


def version(runtime, models, results):
    """The version that the runtime says of itself."""
    return next((found for model in models if (found := results[runtime.title, model.name].version)), "")


def notes(runtimes, models, results):
    """What runtimes say instead of numbers, each once, with the models that it concerns."""
    lines = []
    for runtime in runtimes:
        said = {}
        for model in models:
            result = results[runtime.title, model.name]
            if result.words:
                said.setdefault(" ".join(result.words.split()), []).append(model.name)
            elif not result.good:
                said.setdefault(f"differs by up to {result.error:.1e}", []).append(model.name)
        known = f"; known: {runtime.limit}" if runtime.limit else ""
        lines += [f"- **{runtime.title}** ({'; '.join(names)}): `{words}`{known}" for words, names in said.items()]
    return lines or ["None."]


def write(root, card, runtimes, models, results, missing):
    """Writes the document and the README's line; `missing` are the runtimes that are not measured yet."""
    every, some = counts(runtimes, models, results)
    revision = json.loads(card.read_text(encoding="utf-8"))["provenance"]["source_revision"][:7]
    summary = (
        f"{len(every)} of {len(runtimes)} runtimes give the golden numbers of all {len(models)} models within "
        f"1e-4 in f32, {len(some)} more those of a part of them"
    )
    head = ["runtime", "version", *(model.name for model in models)]
    rows = [head, ["---"] * len(head)]
    for runtime in runtimes:
        found = [results[runtime.title, model.name] for model in models]
        mark = " ¹" if any(result.fixed for result in found) else ""
        rows.append([runtime.title + mark, version(runtime, models, results), *map(cell, found)])
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    titles = "; ".join(runtime.title for runtime in missing)
    unmeasured = f"\n## Not measured\nThe run was stopped before: {titles}.\n" if missing else ""
    text = f"""# The exported files in other runtimes

{summary}. Made by `tests/portability/portability.py --selfie target/release/selfie` on {datetime.date.today()} at revision
{revision}, on a CPU.

Largest absolute error against the golden samples in each file, over all outputs and batches of 1, 2 and 7. Bold: more than
1e-4. The models are small networks after three steps of training, and the committed one.

{table}

¹ compiled for one batch size at a time, from a file that `selfie export --batch N` fixed to it.

## What runtimes say instead
ONNX Runtime runs all of these files, so each line is a limit of the runtime or the converter named in it.

{chr(10).join(notes(runtimes, models, results))}
{unmeasured}"""
    (root / "docs" / "portability.md").write_text(text, encoding="utf-8")
    readme = root / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    line = f"{summary} ([docs/portability.md](docs/portability.md))."
    readme.write_text(f"{before}{START}\n{line}\n{END}{after}", encoding="utf-8")
