"""Runs the paper's recipes on files of the true format and size: 50 steps of pretraining and of fine-tuning each, in bounded memory.

    python -m pip install numpy==2.4.6
    python tests/paper/paper.py --selfie target/release/selfie --report docs/paper-size.md

CIFAR-10 are five pickles of 10,000 images, ImageNet at 32x32 ten pickles with 1,281,167 images in all, as their sources publish them:
4.1 GB of noise in a temporary folder. The network is the paper's ResNet-50 in full. For the sake of a machine without a GPU the batch is
smaller (`--batch`), and so are the files of test images (`--test-images`), all of which are evaluated at the end of a run. A reader
that does not know the files, memory that is short, and a loss that is not finite fail the run."""

import argparse
import datetime
import json
import os
import pickle
import platform
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy

SIDE = 32
BYTES = 3 * SIDE * SIDE
CIFAR_BATCH = 10_000
# Images in the ten files of downsampled ImageNet.
IMAGENET_BATCHES = [128_116] * 9 + [128_123]


def noise(random, count):
    return random.integers(0, 256, size=(count, BYTES), dtype=numpy.uint8)


def save(path, content):
    with path.open("wb") as file:
        pickle.dump(content, file, protocol=2)


def cifar10(folder, random, tests):
    """As `cifar-10-python.tar.gz` unpacks."""
    for name in [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]:
        count = tests if name == "test_batch" else CIFAR_BATCH
        labels = random.permutation(numpy.arange(count) % 10).tolist()
        files = [f"{name}_{index}.png" for index in range(count)]
        content = {"batch_label": name, "labels": labels, "data": noise(random, count), "filenames": files}
        save(folder / name, {key.encode(): value for key, value in content.items()})
    names = [name.encode() for name in "airplane automobile bird cat deer dog frog horse ship truck".split()]
    save(folder / "batches.meta", {b"num_cases_per_batch": CIFAR_BATCH, b"label_names": names, b"num_vis": BYTES})


def imagenet32(folder, random, tests):
    """As `Imagenet32_train.zip` and `Imagenet32_val.zip` unpack; labels count from 1."""
    mean = numpy.full(BYTES, 127.5)
    for number, count in enumerate(IMAGENET_BATCHES, 1):
        labels = (random.permutation(count) % 1000 + 1).tolist()
        save(folder / f"train_data_batch_{number}", {"data": noise(random, count), "labels": labels, "mean": mean})
    labels = (numpy.arange(tests) % 1000 + 1).tolist()
    save(folder / "val_data", {"data": noise(random, tests), "labels": labels})


def train(selfie, recipe, data, out, arguments, init=None):
    """One run: its seconds, its last loss, and its peak memory in bytes."""
    stage = recipe.rsplit("-", 1)[1]
    sets = {
        "steps": arguments.steps,
        "batch_size": arguments.batch,
        "warmup_steps": arguments.steps // 5,
        "workers": os.cpu_count(),
        "log_every": 1,
        "checkpoint_every": 0,
        "images.memory_mb": arguments.memory_mb,
    }
    command = [selfie, stage, "--recipe", recipe, "--data", data, "--out", out]
    command += [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]
    command += ["--init", init, "--labels", "5%"] if init else []
    before = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{recipe} ended with {process.returncode}"
    seconds = time.monotonic() - before
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["split"] == "train"]
    assert len(steps) == arguments.steps, f"{len(steps)} steps in metrics.jsonl"
    return {"recipe": recipe, "seconds": seconds, "loss": steps[-1]["loss"], "peak": usage.ru_maxrss * 1024}


def report(rows, sizes, arguments):
    today, machine = datetime.date.today(), f"{os.cpu_count()} processors, {platform.machine()}"
    lines = [
        "# The paper's recipes on files of their true size",
        "",
        "Made again by `python tests/paper/paper.py --selfie target/release/selfie --report docs/paper-size.md`; "
        f"this is of {today}, {machine}.",
        "",
        f"{arguments.steps} steps of {arguments.batch} images each with the paper's ResNet-50 in full, on noise in the formats and numbers of CIFAR-10 "
        f"(50,000 images) and of ImageNet at 32x32 (1,281,167), with {arguments.test_images:,} images to test on. What is shown is that the readers, the network "
        "and the memory hold; nothing can be learnt from noise.",
        "",
        "| recipe | files, MB | seconds in all | last loss | peak memory, MB |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        files = sizes[row["recipe"].split("-")[0]]
        lines.append(f"| `{row['recipe']}` | {files / 1e6:,.0f} | {row['seconds']:.0f} | {row['loss']:.3f} | {row['peak'] / 1e6:,.0f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selfie", type=Path, required=True, help="the binary")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch", type=int, default=32, help="images of a step; the paper's are 512 and 1,024")
    parser.add_argument("--test-images", type=int, default=1000, help="test images; the sources have 10,000 and 50,000")
    parser.add_argument("--memory-mb", type=int, default=2048, help="pixels that are held in memory; ImageNet's have 3,936 MB")
    parser.add_argument("--work", type=Path, help="where the files are made; a temporary folder without it")
    parser.add_argument("--report", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    selfie, random = arguments.selfie.resolve(), numpy.random.default_rng(1)
    rows, sizes = [], {}
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        for name, make in (("cifar10", cifar10), ("imagenet32", imagenet32)):
            data, runs = Path(folder) / name, Path(folder) / "runs"
            data.mkdir()
            make(data, random, arguments.test_images)
            sizes[name] = sum(file.stat().st_size for file in data.iterdir())
            spec, pretrained = f"{name}:{data}", runs / f"{name}-pretrain"
            rows.append(train(selfie, f"{name}-pretrain", spec, pretrained, arguments))
            for stage in ("finetune", "attention-finetune"):
                rows.append(train(selfie, f"{name}-{stage}", spec, runs / f"{name}-{stage}", arguments, pretrained))
            print(*rows[-3:], sep="\n", flush=True)
    if arguments.report:
        arguments.report.write_text(report(rows, sizes, arguments))


if __name__ == "__main__":
    main()
