"""The runtimes: how each is installed, and the adapter that runs a model in it."""

import dataclasses

from models import MODELS, TARGETED

# Pillow and sharp are for the programs of examples/.
ONNX = ("numpy==2.4.6", "onnx==1.23.2", "pillow==13.0.0")
# onnx2tf chooses the versions of onnx, numpy and TensorFlow that it can read.
TFLITE = (
    "onnx2tf==1.29.24",
    "tf-keras==2.19.0",
    "onnx-graphsurgeon==0.5.8",
    "sng4onnx==2.0.1",
    "ai-edge-litert==2.1.0",
    "pillow==13.0.0",
)
IREE = (*ONNX, "iree-base-compiler==3.13.0", "iree-base-runtime==3.13.0")
TORCH = (*ONNX, "torch==2.15.0", "onnx2torch==1.5.15")
# jaxonnxruntime does not name absl-py, which it imports.
JAX = (*ONNX, "jax==0.10.2", "jaxonnxruntime==0.3.0", "absl-py==2.5.1")

CRATES = ("burn-onnx", "rten")


@dataclasses.dataclass(frozen=True)
class Runtime:
    """One runtime. `kind` is how its adapter is started: `python`, `node`, `rust` (the crate beside this file), or by the
    binary with `selfie verify`. `packages` are those of pip or npm, or the features of the crate; `bare` come without what
    they ask for. `protoc` says that the build needs the compiler of protocol buffers. `version` is what an adapter cannot say of itself. `target` is what `selfie export --target` calls it, if
    it wants files of its own."""

    title: str
    kind: str
    adapter: str
    packages: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    version: str = ""
    quick: bool = False
    protoc: bool = False
    target: str | None = None

    def models(self):
        """What it can be asked: `selfie verify` reads golden samples from a card, which only our networks have."""
        written = [model.written_for(self.target) for model in TARGETED if self.target]
        return [model for model in [*MODELS, *written] if self.kind != "verify" or not model.network]


RUNTIMES = [
    Runtime("ONNX reference evaluator", "python", "reference", ONNX, quick=True, target="onnx-reference"),
    Runtime("ONNX Runtime, Python", "python", "ort_python", (*ONNX, "onnxruntime==1.32.0"), quick=True),
    Runtime("ONNX Runtime, Node", "node", "ort_node", ("onnxruntime-node@1.30.0", "sharp@0.35.5")),
    Runtime("ONNX Runtime, browser (WASM)", "node", "ort_web", ("onnxruntime-web@1.30.0", "playwright-core@1.65.1")),
    Runtime("ONNX Runtime, Rust", "verify", "onnxruntime", version="1.32.0", quick=True),
    Runtime("tract", "verify", "tract", version="0.23.9", quick=True, target="tract"),
    Runtime("rten", "rust", "rten", CRATES, quick=True),
    Runtime("Burn, by burn-onnx", "rust", "burn-onnx", CRATES, quick=True),
    Runtime("candle-onnx", "rust", "candle-onnx", ("candle-onnx",), protoc=True, target="candle-onnx"),
    Runtime("OpenVINO", "python", "openvino_cpu", (*ONNX, "openvino==2026.4.1")),
    Runtime("OpenCV DNN", "python", "opencv_dnn", (*ONNX, "opencv-python-headless==5.0.0.93")),
    Runtime("MNN", "python", "mnn_module", (*ONNX, "MNN==3.6.1"), target="mnn"),
    # pnnx asks for PyTorch, which its program does not need.
    Runtime("ncnn, by pnnx", "python", "ncnn_net", (*ONNX, "ncnn==1.0.20261020"), ("pnnx==20261020",)),
    Runtime("IREE", "python", "iree_vm", IREE, target="iree"),
    Runtime("TVM", "python", "tvm_relax", (*ONNX, "apache-tvm==0.27.0.post1")),
    Runtime("JAX, by jaxonnxruntime", "python", "jax_graph", JAX, target="jaxonnxruntime"),
    Runtime("PyTorch, by onnx2torch", "python", "torch_module", TORCH, target="onnx2torch"),
    Runtime("TensorFlow Lite, by onnx2tf", "python", "tflite", TFLITE, target="onnx2tf"),
]
