"""Do we read what torchvision reads? Its data sets over the same files, and files that it writes.

    pip install -r tests/parity/requirements.txt -r tests/python/requirements.txt
    python tests/parity/readers.py --selfie target/release/selfie

torchvision opens CIFAR-10, CIFAR-100, Fashion-MNIST and a folder for every class, and writes every image that it found as a PNG with a
line in a CSV file. Both, read by `selfie`, must be the same data set: the same SHA-256 over all pixels and labels.
"""

import argparse
import csv
import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torchvision
from torchvision.transforms.functional import pil_to_tensor

sys.path.insert(0, str(Path(__file__).parent.parent / "python"))
import make_data  # noqa: E402

SETTINGS = ("steps=1", "warmup_steps=0", "batch_size=8", "network.width=4", "checkpoint_every=0")


def unchecked(kind):
    """The reader of a published data set, for files that have its format and not its checksums."""
    return type(kind.__name__, (kind,), {"meta": kind.meta | {"md5": None}, "_check_integrity": lambda _: True})


def as_text(folder):
    """The keys as torchvision wants them: text, not bytes."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = pickle.loads(path.read_bytes())
            text = {key.decode() if isinstance(key, bytes) else key: value for key, value in content.items()}
            path.write_bytes(pickle.dumps(text, protocol=2))


def idx(folder, train, test):
    """Fashion-MNIST's four files with other images."""
    folder.mkdir(parents=True)
    for name, pixels in (("train", train), ("t10k", test)):
        grey = pixels[:, :28, :28, 0]
        sizes = numpy.array([2051, *grey.shape], ">i4")
        (folder / f"{name}-images-idx3-ubyte").write_bytes(sizes.tobytes() + grey.tobytes())
        labels = make_data.labels(len(grey))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(numpy.array([2049, len(labels)], ">i4").tobytes() + bytes(labels))


def data_sets(root):
    """What `selfie` is asked to read, and what torchvision reads of both splits."""
    train, test = make_data.pictures(make_data.TRAIN, 1), make_data.pictures(make_data.TEST, 2)
    for write in (make_data.cifar10_python, make_data.cifar100_python):
        write(root, train, test)
    for kind in (torchvision.datasets.CIFAR10, torchvision.datasets.CIFAR100):
        name = kind.__name__.lower()
        as_text(root / f"{name}-python")
        read = unchecked(kind)
        yield f"{name}:{name}-python", *(read(root / f"{name}-python", train=split) for split in (True, False))
    idx(root / "FashionMNIST" / "raw", train, test)
    read = torchvision.datasets.FashionMNIST
    yield "idx:FashionMNIST/raw", *(read(root, train=split) for split in (True, False))
    for split, pixels in (("train", train), ("test", test)):
        for index, (label, picture) in enumerate(zip(make_data.labels(len(pixels)), pixels)):
            path = root / "folders" / split / make_data.NAMES[label] / f"{index:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(make_data.file_bytes(picture, "PNG"))
    read = torchvision.datasets.ImageFolder
    yield "folder:folders", *(read(root / "folders" / split) for split in ("train", "test"))


def write(folder, splits):
    """Every image as torchvision has read it, by its own writer of PNG files."""
    folder.mkdir()
    with open(folder / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "label", "split"))
        for name, split in zip(("train", "test"), splits):
            for index, (image, label) in enumerate(split):
                torchvision.io.write_png(pil_to_tensor(image), str(folder / f"{name}-{index}.png"))
                table.writerow((f"{name}-{index}.png", label, name))


def sha256(selfie, root, spec, out):
    """Of all pixels and labels as `selfie` reads them."""
    command = [selfie, "pretrain", "--recipe", "quickstart-pretrain", "--data", spec, "--out", out]
    command += [word for setting in SETTINGS for word in ("--set", setting)]
    subprocess.run([str(word) for word in command], cwd=root, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads((root / out / "run.json").read_text())["data_sha256"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--selfie", type=Path, required=True, help="the binary")
    selfie = parser.parse_args().selfie.resolve()
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        for spec, *splits in data_sets(root):
            copy = "copy-" + spec.split(":")[0]
            write(root / copy, splits)
            ours, theirs = (sha256(selfie, root, what, f"run-{what.split(':')[0]}-{copy}") for what in (spec, f"csv:{copy}/labels.csv"))
            if ours != theirs:
                raise SystemExit(f"{spec}: torchvision reads other images or labels")
            print(f"{spec}: {sum(map(len, splits))} images, the same as torchvision's")


main()
