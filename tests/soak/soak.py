"""Soaks a server: good clients of every form, bad ones of every kind, models that come, go and are damaged, for half an hour.

    target/python/bin/python tests/soak/soak.py                 # 30 minutes
    target/python/bin/python tests/soak/soak.py --seconds 60    # the short form

It fails when a good client is not answered, when an error is the server's, or when memory, threads or open files grow."""

import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import bad
import good
from memory import Watch
from wire import Wire, request

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = "fashion-mnist"
# Longest time for the server to let go of the last connections.
REST_S = 30


class Soak:
    """The server, its store, and what its clients have seen."""

    def __init__(self, options, folder):
        self.store = folder / "store"
        shutil.copytree(options.store / MODEL, self.store / MODEL)
        command = [options.binary, "serve", "--models", self.store, "--runtime", options.runtime, "--port", "0", "--admin"]
        command += ["--grpc-port", "0"]
        command += ["--poll-ms", "200", "--body-timeout-ms", "3000"]
        self.log = open(folder / "log", "w+")
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.address, self.grpc = (self.told(before) for before in ["//", " gRPC on "])
        self.model = self.describe()
        self.seen = collections.Counter()
        self.faults = []
        self.over = threading.Event()

    def told(self, before):
        """An address in the next line."""
        host, port = self.server.stdout.readline().split(before)[1].strip().split(":")
        return host, int(port)

    def ask(self, data):
        with Wire(self.address) as wire:
            wire.send(data)
            return wire.answer()

    def describe(self):
        """What the clients must know of the model."""
        described = json.loads(self.ask(request("GET", f"/v2/models/{MODEL}"))[1])
        return {"name": MODEL, "input": described["inputs"][0]["name"], "shape": described["inputs"][0]["shape"][1:], "grpc": self.grpc}

    def repeat(self, seed, turn):
        """Calls `turn` until the end. What it raises is a fault of the server."""
        source = random.Random(seed)
        while not self.over.is_set():
            try:
                turn(source)
            except Exception:
                self.fault(traceback.format_exc(limit=3))

    def fault(self, text):
        self.faults.append(text)
        if len(self.faults) >= 20 or self.server.poll() is not None:
            self.over.set()

    def good(self, source):
        client = source.choice(good.CLIENTS)
        status, body = self.ask(client(source, self.model))
        self.seen[client.__name__, status] += 1
        if status not in good.ALLOWED:
            self.fault(f"{client.__name__}: {status} {body[:300]}")

    def bad(self, source):
        client = source.choices([client for _, client in bad.CLIENTS], [weight for weight, _ in bad.CLIENTS])[0]
        status = client(self.address, source, self.model)
        self.seen[client.__name__, status] += 1
        if status is not None and status not in bad.REFUSED:
            self.fault(f"{client.__name__}: {status}")

    def versions(self, source):
        """A new version each time, one in three cut off or with a card that lies; the oldest go. Now and then all is loaded again."""
        folder = self.store / MODEL
        versions = sorted(folder.iterdir(), key=lambda version: int(version.name))
        new = folder / str(int(versions[-1].name) + 1)
        kind = source.choice(["good", "good", "good", "good", "truncated", "lying"])
        first = (versions[0] / "model.onnx").read_bytes()
        new.mkdir()
        if kind == "lying":
            (new / "card.json").write_text("{}")
        (new / "model.onnx").write_bytes(first[: len(first) // 2] if kind == "truncated" else first)
        self.over.wait(2)
        if kind != "good":
            shutil.rmtree(new)
        elif len(versions) > 3:
            shutil.rmtree(versions[1])
        status, body = self.ask(request("POST", f"/v2/repository/models/{MODEL}/load"))
        self.seen[f"load after a {kind} version", status] += 1
        if status != 200:
            self.fault(f"load: {status} {body[:300]}")
        self.over.wait(3)

    def run(self, options):
        watch = Watch(self.server.pid)
        turns = [self.good] * options.good + [self.bad] * options.bad + [self.versions]
        threads = [threading.Thread(target=self.repeat, args=(seed, turn)) for seed, turn in enumerate(turns)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + options.seconds
        while time.monotonic() < end and not self.over.wait(options.seconds / 600):
            watch.look()
        self.over.set()
        for thread in threads:
            thread.join()
        self.faults += watch.rest(REST_S)
        self.server.send_signal(signal.SIGTERM)
        if self.server.wait(60) != 0:
            self.fault(f"the server ended with {self.server.returncode}")
        return watch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/selfie")
    parser.add_argument("--store", type=pathlib.Path, default=ROOT / "models/pretrained")
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--good", type=int, default=6, help="good clients at once")
    parser.add_argument("--bad", type=int, default=4, help="bad clients at once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(options, pathlib.Path(folder))
        try:
            watch = soak.run(options)
        finally:
            soak.server.kill()
        soak.log.seek(0)
        panics = [line for line in soak.log if "panicked" in line]
    statuses = collections.defaultdict(list)
    for (name, status), count in sorted(soak.seen.items(), key=str):
        statuses[name].append(f"{count} x {'left' if status is None else status or 'closed'}")
    print("| client | what became of it |\n|---|---|")
    for name, texts in statuses.items():
        print(f"| {name.replace('_', ' ')} | {', '.join(texts)} |")
    print("\n" + watch.table())
    faults = soak.faults + panics + watch.growth()
    print(f"\n{options.seconds:.0f} s, {sum(soak.seen.values())} clients: " + ("no fault" if not faults else "FAILED"))
    sys.exit("\n".join(faults[:20]) if faults else 0)


main()
