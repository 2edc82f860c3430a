"""Why a runtime does not run every model, as far as it was found out, with the shortest way to see it, and what helps."""

LIMITS = {
    "reference": [
        "Below opset 14 its BatchNormalization takes the statistics of the batch whenever `momentum` has a value, and by "
        "default it always has one. It has `DequantizeLinear` from opset 19 on.",
    ],
    "mnn_module": [
        "Its converter replaces GELU, `x · (erf(x / √2) + 1) · 0.5` or `Gelu`, by an operator of its own, an approximation: "
        "alone, on normal numbers, it is off by 5e-4. `(x · 0.5) · (erf(x · √½) + 1)` is not recognised and exact to 2e-7; "
        "`--target mnn` writes it. Other files keep the usual form, which other runtimes recognise.",
    ],
    "ncnn_net": [
        "Its tensors cannot have six axes, as the `Reshape` gives that cuts an image into patches: to see it, convert "
        "`Reshape(x: [1, 1, 32, 32], [1, 1, 4, 8, 4, 8])` and load what pnnx wrote.",
    ],
    "tract": [
        "It adds the bias of a `Gemm` in 32-bit floats, as one `Gemm(a, b, c)` in f16 shows; `--target tract` writes `MatMul` "
        "and `Add`, which it computes in f16.",
    ],
    "candle-onnx": [
        "It lacks these operators; `--target candle-onnx` writes `LayerNormalization` and `HardSigmoid` as their parts, and "
        "the pads of `MaxPool` as mirrored numbers before it.",
    ],
    "jax_graph": [
        "It has `Relu` of opset 14, but not of 13, and no `LayerNormalization`, `HardSigmoid` and `Conv` of opset 22; "
        "`--target jaxonnxruntime` writes their parts, at opset 17. Its `Clip` names an argument that `jnp.clip` of today "
        "does not have.",
    ],
    "iree_vm": [
        "Its compiler stumbles over a convolution with a stride whose answer is one pixel, as the network of 8x8 patches ends "
        "with: one `Conv` with a kernel of 3, strides of 2 and pads of 1 on `[1, 16, 2, 2]` shows it. With the pads "
        "`[1, 1, 0, 0]`, which give the same numbers, it compiles; `--target iree` writes them where the sides of the image "
        "are fixed, which those of ResNet-18 are not. Its importer has no `BatchNormalization` before opset 15.",
    ],
    "tflite": [
        "onnx2tf moves the channels to the end and mistakes their axis where a feature map is one pixel, which the network "
        "of 8x8 patches ends with: on `[16, 16, 2, 2]` two branches of `Conv` with strides of 2, their `Add` and a "
        "`BatchNormalization` give numbers that are off by 8. With `Mul` and `Add` in its place, as `--target onnx2tf` "
        "writes it, they are right.",
    ],
}

# Runtimes that are not asked, and why.
NOT_HERE = {
    "TensorRT": "PyPI has no wheel of a release of its package `tensorrt`, only source packages whose build fetches the library "
    "from elsewhere. Where it is installed, ONNX Runtime hands files to it: `selfie serve --device tensorrt`.",
}
