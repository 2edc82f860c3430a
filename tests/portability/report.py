"""docs/portability.md, and the line of the README between its markers."""

import datetime
import subprocess

from limits import LIMITS, NOT_HERE
from models import COUNTED, COUNTED_TARGETED, GROUPS, MODELS, SELFIE, TARGETED
from runtimes import RUNTIMES

WORDS = 200
START, END = "<!-- portability -->", "<!-- /portability -->"


def cell(result, file):
    """One field of a table."""
    if result is None:
        return ""
    if result.words:
        return "refuses"
    text = f"{result.error:.0e}".replace("e-0", "e-").replace("e+00", "")
    return text if result.good(file) else f"**{text}**"


def markdown(models, rows):
    """Rows under the names of models."""
    head = ["runtime", "version", *(model.name for model in models)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


class Table:
    """All that is known: results by runtime and model."""

    def __init__(self, made, results):
        self.made, self.results = made, results

    def find(self, runtime, model):
        return self.results.find(runtime, self.made[model.title]) if model in runtime.models() else None

    def good(self, runtime, model):
        result = self.find(runtime, model)
        return result is not None and result.good(self.made[model.title])

    def known(self, runtime):
        return [result for model in runtime.models() if (result := self.find(runtime, model))]

    def row(self, runtime, models, mark=""):
        """The fields of a runtime in the table of a group."""
        known = self.known(runtime)
        version = next((result.version for result in known if result.version), "")
        if any(result.fixed for result in known):
            mark += " ¹"
        cells = [cell(self.find(runtime, model), self.made.get(model.title)) for model in models]
        return [runtime.title + mark, version, *cells]

    def group(self, title):
        """The table of a group of models."""
        models = [model for model in MODELS if model.group == title]
        asked = [runtime for runtime in RUNTIMES if any(self.find(runtime, model) for model in models)]
        rows = [self.row(runtime, models) for runtime in asked]
        rows += [[absent, "not here", *[""] * len(models)] for absent in NOT_HERE if title == SELFIE]
        return f"## {title}\n{markdown(models, rows)}"

    def targeted(self):
        """The table of what is written for one runtime each."""
        rows = []
        for runtime in RUNTIMES:
            models = [model.written_for(runtime.target) for model in TARGETED]
            if runtime.target and any(self.find(runtime, model) for model in models):
                rows.append(self.row(runtime, models, f", `{runtime.target}`"))
        return markdown(TARGETED, rows)

    def summary(self):
        """How far the networks of Selfie get."""
        measured = [runtime for runtime in RUNTIMES if self.known(runtime)]
        ours = [model for model in MODELS if model.group == SELFIE]
        plain = {runtime.title for runtime in measured if all(self.good(runtime, model) for model in COUNTED)}
        written = {runtime.title for runtime in measured if runtime.target and self.good_when_written_for(runtime)}
        every = sum(all(self.good(runtime, model) for model in ours) for runtime in measured)
        return (
            f"{len(plain | written)} of {len(measured)} runtimes give the golden numbers of the Selfie embedding and classifier "
            f"within 1e-4 in f32, {len(written - plain)} of them from files that `--target` wrote for them; {every} give those "
            f"of all {len(ours)} files in f32 at opsets 13 to 23"
        )

    def good_when_written_for(self, runtime):
        return all(self.good(runtime, model.written_for(runtime.target)) for model in COUNTED_TARGETED)

    def notes(self):
        """What runtimes say instead of numbers, each once, with the models that it concerns, and why as far as known."""
        lines = []
        for runtime in RUNTIMES:
            said = {}
            for model in runtime.models():
                result = self.find(runtime, model)
                if result is None or result.good(self.made[model.title]):
                    continue
                # A node with all its fields says nothing to others.
                words = result.words.partition(" NodeProto {")[0]
                name = f"{model.name}, `--target`" if model.target else model.name
                said.setdefault(words[:WORDS] or f"differs by up to {result.error:.0e}", []).append(name)
            if said:
                lines += [f"### {runtime.title}", *LIMITS.get(runtime.adapter, [])]
                lines += [f"- {'; '.join(names)}: `{words.replace('`', chr(39))}`" for words, names in said.items()]
        lines += [f"### {title}\n{reason}" for title, reason in NOT_HERE.items()]
        return "\n".join(lines) or "Nothing."

    def options(self):
        """The options of `selfie export` with which a runtime takes more, or anything at all."""
        rows = [["runtime", "options", "why"], ["---"] * 3]
        for runtime in RUNTIMES:
            if runtime.target:
                rows.append([runtime.title, f"`--target {runtime.target}`", "see above, and [passes.md](passes.md#targets)"])
            if any(result.fixed for result in self.known(runtime)):
                rows.append([runtime.title, "`--batch N`", "it compiles for one batch size at a time"])
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write(root, made, results):
    """Writes the document and the README's line."""
    table = Table(made, results)
    words = ["git", "-C", root, "rev-parse", "--short", "HEAD"]
    revision = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    unmeasured = "; ".join(runtime.title for runtime in RUNTIMES if not table.known(runtime))
    text = f"""# The exported files in other runtimes

{table.summary()}. Made by `tests/portability/portability.py --selfie target/release/selfie` on {datetime.date.today()} at revision
{revision}, on a CPU.

Largest absolute error against the golden samples in each file, over all outputs and all batch sizes. **Bold**: more than
1e-4, or, for a model in lower precision, more than its card allows. An empty field: not measured.

¹ compiled for one batch size at a time, from a file that `selfie export --batch N` fixed to it.

{table.group(GROUPS[0])}

Small networks after three steps of training, and the committed one; batches of 1, 2 and 7.

{table.group(GROUPS[1])}

The golden samples of bytes, f16 and bf16 are what Burn answers in f32, those of int8 what ONNX Runtime gives for the very file.
Runtimes round lower precision at different places, so a card allows more: in f16 and bf16 four times the largest error that the export found
in ONNX Runtime, which keeps 32 bits between the nodes, in int8 5 % of the largest number.

{table.group(GROUPS[2])}

From the compiler's tests, with random weights, at sizes that were not recorded, against what Burn answers. The bound is relative
where answers are larger than one. ONNX Runtime in Rust and tract run all of them in those tests.

## Written for the runtime
For some runtimes `selfie export --target` writes a file with the opset and the operators that they read
([passes.md](passes.md#targets)); other runtimes run these files too.

{table.targeted()}

## Which options of `selfie export` for which runtime
The others need none, and no option mends what they refuse.

{table.options()}

## What runtimes say instead
ONNX Runtime runs all of these files, so each line is a limit of the runtime or the converter named in it.

{table.notes()}
{f"{chr(10)}## Not measured{chr(10)}{unmeasured}.{chr(10)}" if unmeasured else ""}"""
    (root / "docs" / "portability.md").write_text(text, encoding="utf-8")
    readme = root / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    line = f"{table.summary()} ([docs/portability.md](docs/portability.md))."
    readme.write_text(f"{before}{START}\n{line}\n{END}{after}", encoding="utf-8")
