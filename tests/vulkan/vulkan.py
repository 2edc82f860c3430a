"""Trains a tiny network on a Vulkan driver without a GPU, and holds every loss against the CPU device's.

    python tests/vulkan/vulkan.py --report docs/benchmarks/vulkan.md

The driver is SwiftShader, which Debian's package `chromium` brings, behind the loader of `libvulkan1`; a root on Debian gets both
installed. It knows too little for the device `vulkan`, which refuses it, so the device is `wgpu`: the same kernels, in WGSL instead of SPIR-V. The
binary is built with the feature `wgpu` into a target folder of its own (`--target`, a few GB, about a quarter of
an hour on two cores), and `--selfie` names one that is there already.

Pretraining and then fine-tuning begin on the CPU and are stopped by a signal after a few steps. A copy of each goes on with `--device wgpu`
from the checkpoint, the original on the CPU: weights, momentum, order of images and masks are the same, and only the device differs.
Every later loss must agree within `--tolerance`, relative to what knowing nothing gives. It is the bound that docs/parity.md has for
PyTorch, for the same reason: two ways of adding up thousands of 32-bit products differ in the seventh digit, and each step of training
builds on the one before; so there are about as many steps as there. That it can fail is measured too: the report has the change of the
loss from one step to the next, and what another seed does to it, which must be more than the tolerance."""

import argparse
import datetime
import json
import math
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ICD = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
PACKAGES = ("libvulkan1", "chromium")
# What the target folder of the build takes, with some air.
DISK = 6e9
# A network that is tiny in everything, and steps that are written down one by one.
SETTINGS = {
    "batch_size": 16,
    "warmup_steps": 2,
    "network.width": 4,
    "network.pooling.width": 16,
    "network.pooling.feed_forward": 32,
    "log_every": 1,
    "checkpoint_every": 0,
    "evaluation_batch_size": 16,
}


def software_device():
    """The file of the software device, with its packages where they are missing and can be installed."""
    loader = any(Path("/usr/lib").glob("*/libvulkan.so.1"))
    if ICD.exists() and loader:
        return ICD
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"no software Vulkan device here; as root on Debian: {' '.join(command)}")
    subprocess.run(command, check=True)
    return ICD


def build(target):
    """The binary with the feature `wgpu`."""
    target.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target).free
    binary = target / "release" / "selfie"
    if free < DISK and not binary.exists():
        sys.exit(f"{target} has {free / 1e9:.1f} GB left; the build takes {DISK / 1e9:.0f}")
    profile = {"OPT_LEVEL": "1", "LTO": "off", "CODEGEN_UNITS": "16", "DEBUG": "0"}
    environment = os.environ | {f"CARGO_PROFILE_RELEASE_{key}": value for key, value in profile.items()}
    environment |= {"CARGO_TARGET_DIR": str(target), "CARGO_INCREMENTAL": "0"}
    command = ["cargo", "build", "--release", "--locked", "--bin", "selfie"]
    subprocess.run([*command, "--no-default-features", "--features", "train,wgpu"], env=environment, check=True)
    return binary


class Trainer:
    def __init__(self, selfie, icd, arguments):
        self.selfie, self.arguments = selfie, arguments
        self.environment = os.environ | ({"VK_ICD_FILENAMES": str(icd)} if icd else {})

    def start(self, stage, out, device, *more):
        settings = SETTINGS | {"steps": self.arguments.steps}
        command = [self.selfie, stage, "--recipe", f"quickstart-{stage}", "--out", out, "--device", device, *more]
        command += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        return subprocess.Popen(command, env=self.environment, cwd=out.parent, stdout=subprocess.DEVNULL)

    def run(self, *arguments):
        """Seconds of a run that must end well."""
        before = time.monotonic()
        code = self.start(*arguments).wait()
        assert code == 0, f"{arguments} ended with {code}"
        return time.monotonic() - before

    def stop_early(self, stage, out, *more):
        """Begins a run on the CPU and stops it by a signal; the step of its checkpoint."""
        process = self.start(stage, out, "cpu", *more)
        while process.poll() is None and len(losses(out)) < self.arguments.stop_after:
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM, f"{stage} ended with {process.returncode}; give it more --steps"
        return max(losses(out))


def losses(run):
    """The loss of every step that is written down whole."""
    path = run / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {line["step"]: line["loss"] for line in lines if line["split"] == "train"}


def compare(trainer, stage, folder, *more):
    device = trainer.arguments.device
    cpu, second, other = (folder / f"{stage}-{name}" for name in ("cpu", "second", "other"))
    stopped = trainer.stop_early(stage, cpu, *more)
    shutil.copytree(cpu, second)
    seconds = {"cpu": trainer.run(stage, cpu, "cpu", *more, "--resume")}
    seconds["second"] = trainer.run(stage, second, device, *more, "--resume")
    trainer.run(stage, other, "cpu", *more, "--seed", "2")
    record = json.loads((second / "run.json").read_text())
    assert record["device"] == device, record["device"]
    ours, theirs, shuffled = losses(cpu), losses(second), losses(other)
    steps = [step for step in ours if step > stopped]
    assert steps and steps == [step for step in theirs if step > stopped], f"{stage}: not the same steps"
    chance = record["metrics"]["chance_loss"]
    differences = {step: abs(ours[step] - theirs[step]) / chance for step in steps}
    assert all(math.isfinite(difference) for difference in differences.values()), differences
    changes = [abs(ours[step] - ours[step - 1]) / chance for step in steps]
    return {
        "stage": stage,
        "stopped": stopped,
        "steps": len(steps),
        "chance": chance,
        "last": (ours[steps[-1]], theirs[steps[-1]]),
        "largest": max(differences.values()),
        "first": differences[steps[0]],
        "change": sorted(changes)[len(changes) // 2],
        "order": max(abs(ours[step] - shuffled[step]) / chance for step in steps),
        "test": [json.loads((run / "run.json").read_text())["metrics"]["test_accuracy"] for run in (cpu, second)],
        "seconds": seconds,
    }


def report(rows, arguments):
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "chromium"], capture_output=True, text=True).stdout
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    lines = [
        "# Vulkan without a GPU",
        "",
        "Made again by `python tests/vulkan/vulkan.py --report docs/benchmarks/vulkan.md`. It shows that `--device wgpu` trains, and trains the",
        f"same; it says nothing about speed on a GPU. Date: {datetime.date.today()}. Machine: {os.cpu_count()} virtual cores ({processor}).",
        f"Device: SwiftShader of chromium {version or '(unknown version)'}.",
        "",
        "A tiny network (width 4, batches of 16 images) begins on the CPU device, is stopped, and goes on from one checkpoint on both devices. Differences",
        f"are of the loss of a step, as a part of the loss of knowing nothing; {arguments.tolerance:g} is allowed.",
        "",
        "| | " + " | ".join(row["stage"] for row in rows) + " |",
        "|---|" + "---:|" * len(rows),
    ]
    facts = {
        "steps on the CPU before, on both after": lambda row: f"{row['stopped']}, {row['steps']}",
        "difference after the first step": lambda row: f"{row['first']:.1e}",
        "**largest difference of a step**": lambda row: f"**{row['largest']:.1e}**",
        "median change of the loss from step to step": lambda row: f"{row['change']:.1e}",
        "largest difference with another seed": lambda row: f"{row['order']:.1e}",
        "last loss, CPU and wgpu": lambda row: "{:.5f}, {:.5f}".format(*row["last"]),
        "accuracy on the test images, CPU and wgpu": lambda row: "{:.3f}, {:.3f}".format(*row["test"]),
        "seconds in all, CPU and wgpu": lambda row: "{cpu:.0f}, {second:.0f}".format(**row["seconds"]),
    }
    lines += [f"| {name} | " + " | ".join(fact(row) for row in rows) + " |" for name, fact in facts.items()]
    lines += ["", "Most of the seconds on wgpu are spent on compiling kernels, once for every shape."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selfie", type=Path, help="a binary with the device; without it one is built")
    parser.add_argument("--target", type=Path, default=Path("target/vulkan"), help="target folder of the build")
    parser.add_argument("--device", default="wgpu", help="device to hold against the CPU's; cpu shows that the script itself adds nothing")
    parser.add_argument("--steps", type=int, default=25, help="steps of each run, those on the CPU alone included")
    parser.add_argument("--stop-after", type=int, default=5, help="steps on the CPU device alone, at the least")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="largest difference of a loss")
    parser.add_argument("--report", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    icd = software_device() if arguments.device.startswith(("wgpu", "vulkan")) else None
    selfie = (arguments.selfie or build(arguments.target.resolve())).resolve()
    trainer = Trainer(selfie, icd, arguments)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        rows = [compare(trainer, "pretrain", folder)]
        print(rows[-1], flush=True)
        rows.append(compare(trainer, "finetune", folder, "--init", folder / "pretrain-cpu"))
        print(rows[-1], flush=True)
    if arguments.report:
        arguments.report.write_text(report(rows, arguments))
    for row in rows:
        assert row["largest"] <= arguments.tolerance, f"{row['stage']}: {row['largest']:.1e} differs, {arguments.tolerance:g} is allowed"
        assert row["order"] > arguments.tolerance, f"{row['stage']}: another seed differs by {row['order']:.1e} only; the test proves nothing"


if __name__ == "__main__":
    main()
