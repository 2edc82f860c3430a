"""Where a runtime is installed, and the command that starts its adapter."""

import os
import pathlib
import shutil
import subprocess
import venv

HERE = pathlib.Path(__file__).resolve().parent
ADAPTERS = HERE / "adapters"
CRATE = HERE / "rust"
INSTALL_LIMIT_S = 3600
# Has the compiler of protocol buffers, where none is installed.
PROTOC = "grpcio-tools==1.85.1"
# A virtual environment above this is deleted after its runtime's last model.
KEPT_BYTES = 2 << 30


class Home:
    """Installs on entry, deletes what is large on exit unless it is to `keep`, and everything if it is to `discard`. With
    `python`, no packages are installed and that Python is used."""

    def __init__(self, runtime, selfie, cache, python=None, keep=False, discard=False):
        self.runtime, self.selfie, self.cache, self.python = runtime, selfie, cache, python
        self.borrowed, self.keep, self.discard, self.refusal = python is not None, keep, discard, ""

    def __enter__(self):
        try:
            {"python": self.pip, "node": self.npm, "rust": self.cargo, "verify": lambda: None}[self.runtime.kind]()
        except (subprocess.SubprocessError, OSError) as error:
            self.refusal = f"cannot be installed: {last_words(error)}"
        return self

    def __exit__(self, *_):
        folder = self.folder("venv")
        if self.discard:
            for place in (folder, self.folder("node"), self.target()):
                shutil.rmtree(place, ignore_errors=True)
            return
        if not self.keep and folder.is_dir() and sum(path.lstat().st_size for path in folder.rglob("*")) > KEPT_BYTES:
            shutil.rmtree(folder)

    def command(self, file, work):
        """The words that run one model."""
        return {
            "python": [self.python, "-B", ADAPTERS / "adapter.py", self.runtime.adapter, file.path, file.card, work],
            "node": ["node", ADAPTERS / f"{self.runtime.adapter}.mjs", file.path, file.card, self.folder("node")],
            "verify": [self.selfie, "verify", file.path],
            "rust": [self.target() / "release" / "portability", self.runtime.adapter, file.path, file.card],
        }[self.runtime.kind]

    def pip(self):
        if self.borrowed:
            return
        folder = self.folder("venv")
        self.python = folder / "bin" / "python"
        if not self.installed(folder):
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            install = [self.python, "-m", "pip", "install", "--quiet"]
            run(*install, *self.runtime.packages)
            if self.runtime.bare:
                run(*install, "--no-deps", *self.runtime.bare)
            self.stamp(folder)

    def npm(self):
        folder = self.folder("node")
        if not self.installed(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
            # Scripts of packages download GPU libraries that are not used here.
            flags = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
            run("npm", "install", *flags, *self.runtime.packages, cwd=folder)
            self.stamp(folder)

    def cargo(self, networks=None):
        """Builds the crate with this runtime, and with the networks that burn-onnx made Rust of in a folder."""
        flags = ["--release", "--locked", "--no-default-features", "--features", ",".join(self.runtime.packages)]
        words = [os.environ.get("CARGO", "cargo"), "build", *flags, "--target-dir", self.target()]
        environment = dict(os.environ)
        if networks:
            environment["PORTABILITY_BURN_ONNX"] = str(networks)
        if self.runtime.protoc and not shutil.which("protoc"):
            environment["PROTOC"] = str(self.protoc())
        run(*words, cwd=CRATE, env=environment)

    def protoc(self):
        """The compiler of protocol buffers out of a Python package."""
        folder = self.cache.absolute() / "venv-protoc"
        program = folder / "bin" / "protoc"
        if not program.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            python = folder / "bin" / "python"
            run(python, "-m", "pip", "install", "--quiet", PROTOC)
            program.write_text(f'#!/bin/sh\nexec "{python}" -m grpc_tools.protoc "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        return program

    def target(self):
        """A build folder for every set of features: another set would build everything again."""
        return self.cache / "-".join(["rust", *self.runtime.packages])

    def folder(self, kind):
        return self.cache / f"{kind}-{self.runtime.adapter}"

    def installed(self, folder):
        stamp = folder / "installed"
        return stamp.is_file() and stamp.read_text(encoding="utf-8") == self.wanted()

    def stamp(self, folder):
        (folder / "installed").write_text(self.wanted(), encoding="utf-8")

    def wanted(self):
        return "\n".join([*self.runtime.packages, *self.runtime.bare])


def run(*words, **options):
    """Runs a command of an installation."""
    words = [str(word) for word in words]
    subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=True, **options)


def last_words(error):
    """What an installation said in the end."""
    said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return said[-1] if said else str(error)
