"""Three servers behind HAProxy, as deploy/haproxy has them, under load: one is killed, one is stopped in order, one comes back.

    target/python/bin/python tests/replicas/replicas.py

No request may fail: what was on its way on the killed one is asked again elsewhere. Needs HAProxy (Debian's package haproxy)."""

import argparse
import collections
import csv
import http.client
import io
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/soak"))
from wire import png  # noqa: E402

CONFIGURATION = ROOT / "deploy/haproxy/haproxy.cfg"
NAMES = "ABC"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Replicas:
    """The servers and the proxy before them."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.ports = {name: free_port() for name in NAMES}
        self.servers = {}
        for name in NAMES:
            self.start(name)
        self.port = free_port()
        addresses = {f"SELFIE_{name}": f"127.0.0.1:{port}" for name, port in self.ports.items()}
        environment = {**os.environ, **addresses, "SELFIE_LISTEN": f"127.0.0.1:{self.port}"}
        self.stats = folder / "stats"
        extra = folder / "stats.cfg"
        extra.write_text(f"global\n    stats socket {self.stats}\n")
        command = ["haproxy", "-db", "-f", CONFIGURATION, "-f", extra]
        self.proxy = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, name):
        command = [self.options.binary, "serve", "--models", self.options.store, "--runtime", self.options.runtime]
        command += ["--port", str(self.ports[name]), "--threads", "1", "--drain-delay-ms", "2000"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        server.stdout.readline()
        self.servers[name] = server

    def counts(self):
        """What HAProxy has counted of each server: requests, those asked again, those given to another."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self.stats))
            stats.sendall(b"show stat\n")
            text = b"".join(iter(lambda: stats.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        wanted = ["stot", "wretr", "wredis", "status"]
        return {row["svname"].upper(): [row[name] for name in wanted] for row in rows if row["pxname"] == "selfie"}

    def end(self):
        for process in [self.proxy, *self.servers.values()]:
            process.kill()
            process.wait()


class Load:
    """Clients that ask until the end and note what they got."""

    def __init__(self, port, clients):
        self.port, self.over = port, threading.Event()
        self.answers, self.slowest = collections.Counter(), 0.0
        self.threads = [threading.Thread(target=self.ask, args=(seed,)) for seed in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self, seed):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.is_set():
            start = time.monotonic()
            try:
                connection.request("POST", "/v1/embeddings", png(28, 28, seed), {"content-type": "image/png"})
                response = connection.getresponse()
                response.read()
                answer = response.status
            except (OSError, http.client.HTTPException) as error:
                answer = type(error).__name__
                connection.close()
            self.answers[answer] += 1
            self.slowest = max(self.slowest, time.monotonic() - start)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def wait_until(holds, what):
    end = time.monotonic() + 30
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"{what} does not happen")
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/selfie")
    parser.add_argument("--store", type=pathlib.Path, default=ROOT / "models/pretrained")
    parser.add_argument("--runtime", default="auto")
    options = parser.parse_args()
    if not shutil.which("haproxy"):
        print("SKIPPED: there is no haproxy; Debian's package has that name")
        return
    with tempfile.TemporaryDirectory() as folder:
        replicas = Replicas(options, pathlib.Path(folder))
        load = None
        try:
            is_up = lambda *names: all(replicas.counts()[name][3] == "UP" for name in names)
            wait_until(lambda: replicas.stats.exists() and is_up(*NAMES), "three replicas that are up")
            part = options.seconds / 4
            load = Load(replicas.port, options.clients)
            time.sleep(part)
            replicas.servers["A"].kill()
            replicas.servers["A"].wait()
            time.sleep(part)
            replicas.start("A")
            wait_until(lambda: is_up("A"), "the killed replica back")
            time.sleep(part)
            replicas.servers["B"].send_signal(signal.SIGTERM)
            replicas.servers["B"].wait(30)
            time.sleep(part)
            load.end()
            counts = replicas.counts()
        finally:
            if load:
                load.end()
            replicas.end()
    print("| replica | requests | asked again | given to another |\n|---|---|---|---|")
    for name, what in zip(NAMES, ["killed, back later", "stopped by SIGTERM", "untouched"]):
        print(f"| {name}, {what} | " + " | ".join(counts[name][:3]) + " |")
    failed = {answer: count for answer, count in load.answers.items() if answer != 200}
    print(f"\n{load.answers[200]} requests answered, {sum(failed.values())} failed, the slowest took {load.slowest:.2f} s.")
    sys.exit(f"failed: {failed}" if failed or not load.answers[200] else 0)


main()
