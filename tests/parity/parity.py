"""Are we PyTorch? Published weights through our compiler, and training step by step, beside PyTorch.

    pip install -r tests/parity/requirements.txt
    python tests/parity/parity.py --selfie target/release/selfie --report docs/parity.md

Fails when a logit differs by more than 1e-4, or the loss of a step by more than 1e-3 of itself.
"""

import argparse
import datetime
import json
import math
import subprocess
import tempfile
import tomllib
from pathlib import Path

import numpy
import onnxruntime
import torch
import torchvision
from network import Classifier, Selfie
from safetensors.torch import load_file, save_file

LOGIT_TOLERANCE, LOSS_TOLERANCE = 1e-4, 1e-3
ARCHITECTURES = ("resnet50",)


def run(*command):
    print("$", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True)


def published(arch):
    """torchvision's network with random weights, and with the running statistics of random images."""
    torch.manual_seed(1)
    network = getattr(torchvision.models, arch)()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    with torch.no_grad():
        for _ in range(3):
            network.train()(torch.randn(4, 3, 224, 224))
    return network.eval()


def imports(selfie, work):
    """Rows of architecture, file, output, size of the numbers, largest difference."""
    rows = []
    for arch in ARCHITECTURES:
        network = published(arch)
        images = torch.randn(3, 3, 224, 224)
        with torch.no_grad():
            logits = network(images).numpy()
            network.fc = torch.nn.Identity()
            embedding = network(images).numpy()
        weights = published(arch).state_dict()
        files = [work / f"{arch}.pth", work / f"{arch}.safetensors"]
        torch.save(weights, files[0])
        save_file(weights, files[1])
        for file in files:
            folder, model = work / f"{file.name}.run", work / f"{file.name}.onnx"
            run(selfie, "import", file, "--arch", arch, "--out", folder)
            run(selfie, "export", folder, "--out", model)
            session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
            found = session.run(["logits", "embedding"], {session.get_inputs()[0].name: images.numpy()})
            for output, ours, theirs in zip(("logits", "embedding"), found, (logits, embedding)):
                rows.append((arch, file.suffix, output, float(abs(theirs).max()), float(abs(ours - theirs).max())))
    return rows


def learning_rate(recipe, step):
    peak, warmup = recipe["lr"], recipe["warmup_steps"]
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(recipe["steps"] - warmup, 1)))


def repeat(folder, kind, dtype):
    """The losses and the gradient norms of PyTorch from the weights and on the batches of a run."""
    recipe = tomllib.loads((folder / "run/recipe.toml").read_text())
    network = kind(json.loads((folder / "run/network.json").read_text()))
    network.load_state_dict(load_file(folder / "initial.safetensors"))
    network.to(dtype).train()
    names = dict(network.named_parameters())
    decayed = {name for name, value in names.items() if name.endswith(".weight") and value.dim() > 1}
    groups = [
        {"params": [names[name] for name in names if name in decayed], "weight_decay": recipe["weight_decay"]},
        {"params": [names[name] for name in names if name not in decayed], "weight_decay": 0},
    ]
    optimiser = torch.optim.SGD(groups, lr=0, momentum=recipe["momentum"], nesterov=True)
    steps, losses, norms = load_file(folder / "batches.safetensors"), [], []
    for step in range(recipe["steps"]):
        batch = {name: values[step] for name, values in steps.items()}
        batch["images"] = batch["images"].to(dtype)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(recipe, step)
        optimiser.zero_grad()
        loss = network.loss(batch)
        loss.backward()
        bound = recipe["clip_norm"] or math.inf
        norms.append(float(torch.nn.utils.clip_grad_norm_(network.parameters(), bound)))
        optimiser.step()
        losses.append(loss.item())
        print(f"{folder.name} {dtype}: step {step + 1}, loss {losses[-1]:.6f}", flush=True)
    return losses, norms


def training(selfie, work, settings):
    """By stage: rows of step, our loss, PyTorch's, PyTorch's in 64 bits, our gradient norm, PyTorch's."""
    run(selfie, "bench", "parity", "--out", work, *(word for setting in settings for word in ("--set", setting)))
    stages = {}
    for stage, kind in (("pretrain", Selfie), ("finetune", Classifier)):
        lines = map(json.loads, (work / stage / "run/metrics.jsonl").read_text().splitlines())
        ours = [line for line in lines if line["split"] == "train"]
        losses, norms = repeat(work / stage, kind, torch.float32)
        exact, _ = repeat(work / stage, kind, torch.float64)
        stages[stage] = [
            (line["step"], line["loss"], losses[index], exact[index], line["gradient_norm"], norms[index])
            for index, line in enumerate(ours)
        ]
        assert len(ours) == len(losses), (len(ours), len(losses))
    return stages


def relative(ours, theirs):
    return abs(ours - theirs) / abs(theirs)


def report(rows, stages, settings):
    """The document, and whether all is within tolerance."""
    version = f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, ONNX Runtime {onnxruntime.__version__}"
    arguments = "".join(f" --set {setting}" for setting in settings)
    text = [
        "# Parity with PyTorch",
        "",
        "Made again by `pip install -r tests/parity/requirements.txt` and "
        f"`python tests/parity/parity.py --selfie target/release/selfie --report docs/parity.md{arguments}`; "
        f"this is of {datetime.date.today()}, {version}, on the CPU.",
        "",
        "## Published weights",
        "torchvision's networks with random weights and running statistics, as `torch.save` and safetensors write them, through "
        "`selfie import` and `selfie export`, in ONNX Runtime beside PyTorch itself on three random images of 224x224. "
        f"{LOGIT_TOLERANCE:g} is allowed.",
        "",
        "| network | file | output | largest number | largest difference |",
        "|---|---|---|---|---|",
        *(f"| {arch} | {file} | {output} | {size:.2f} | {error:.1e} |" for arch, file, output, size, error in rows),
        "",
        "## Training",
        "`selfie bench parity` trains as always, and writes down the first weights, the batches and the masks. `tests/parity/network.py` "
        "is the paper's network once more in PyTorch; it starts from the same weights and sees the same batches, with PyTorch's own "
        f"optimiser and clipping. The loss of no step may differ by more than {LOSS_TOLERANCE:g} of PyTorch's. Weights that differ in the last bit "
        "drift apart as they are trained; PyTorch in 64 bits shows by how much 32 bits alone do so.",
    ]
    within = all(error <= LOGIT_TOLERANCE for *_, error in rows)
    for stage, steps in stages.items():
        text += [
            "",
            f"### {stage.capitalize()}",
            "",
            "| step | loss, ours | PyTorch | PyTorch, 64 bits | difference of ours | gradient norm, ours | PyTorch |",
            "|---|---|---|---|---|---|---|",
        ]
        for step, ours, torch32, torch64, norm, norm32 in steps:
            difference = relative(ours, torch32)
            within = within and difference <= LOSS_TOLERANCE
            text.append(
                f"| {step} | {ours:.6f} | {torch32:.6f} | {torch64:.6f} | {difference:.1e} | {norm:.4f} | {norm32:.4f} |"
            )
        largest = max(relative(ours, torch32) for _, ours, torch32, *_ in steps)
        rounding = max(relative(torch32, torch64) for _, _, torch32, torch64, *_ in steps)
        text += [
            "",
            f"Largest difference: ours from PyTorch {largest:.1e}, PyTorch in 32 bits from PyTorch in 64 bits {rounding:.1e}.",
        ]
    return "\n".join(text) + "\n", within


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selfie", type=Path, required=True, help="the binary")
    parser.add_argument("--report", type=Path, help="Markdown file to write")
    parser.add_argument("--set", action="append", default=[], help="a setting of both recipes, as for `selfie bench parity`")
    parser.add_argument("--only", choices=("imports", "training"), help="half of it")
    arguments = parser.parse_args()
    selfie = arguments.selfie.resolve()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        rows = imports(selfie, work) if arguments.only != "training" else []
        stages = training(selfie, work / "training", arguments.set) if arguments.only != "imports" else {}
    text, within = report(rows, stages, arguments.set)
    print(text)
    if arguments.report:
        arguments.report.write_text(text)
    raise SystemExit(0 if within else "outside of the tolerance")


main()
