"""The networks of `selfie bench export` in PyTorch: exports one with `torch.onnx.export`, or times two ONNX files in turn.

    export NAME WEIGHTS OUT OPSET TIMES
    latency OURS THEIRS CHANNELS HEIGHT WIDTH THREADS BATCH:ROUNDS...

Prints one JSON object as its last line.
"""

import json
import struct
import sys
import time


def peak_bytes():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def read_weights(path):
    """The tensors of a safetensors file in 32-bit floats."""
    import torch

    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    whole = torch.frombuffer(data, dtype=torch.uint8)
    return {
        name: whole[slice(*entry["data_offsets"])].view(torch.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }


def network(name):
    import torch
    from torch import nn
    from torch.nn import functional as F

    class PostActivation(nn.Module):
        """A bottleneck as torchvision has it."""

        def __init__(self, inputs, width, stride):
            super().__init__()
            outputs = 4 * width
            self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(outputs)
            self.downsample = None
            if stride != 1 or inputs != outputs:
                projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
                self.downsample = nn.Sequential(projection, nn.BatchNorm2d(outputs))

        def forward(self, x):
            shortcut = x if self.downsample is None else self.downsample(x)
            y = F.relu(self.bn1(self.conv1(x)))
            y = F.relu(self.bn2(self.conv2(y)))
            return F.relu(self.bn3(self.conv3(y)) + shortcut)

    class PreActivation(nn.Module):
        """A bottleneck with normalisation first."""

        def __init__(self, inputs, width, stride):
            super().__init__()
            outputs = 4 * width
            self.bn1 = nn.BatchNorm2d(inputs)
            self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(width)
            self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
            self.downsample = None
            if stride != 1 or inputs != outputs:
                self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False))

        def forward(self, x):
            activated = F.relu(self.bn1(x))
            shortcut = x if self.downsample is None else self.downsample(activated)
            y = self.conv2(F.relu(self.bn2(self.conv1(activated))))
            return self.conv3(F.relu(self.bn3(y))) + shortcut

    def groups(block, depths, width=64):
        channels, made = width, []
        for group, depth in enumerate(depths):
            blocks = []
            for index in range(depth):
                blocks.append(block(channels, width << group, 2 if group and not index else 1))
                channels = 4 * width << group
            made.append(nn.Sequential(*blocks))
        return made

    class ResNet50(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.layer1, self.layer2, self.layer3, self.layer4 = groups(PostActivation, (3, 4, 6, 3))

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return F.adaptive_avg_pool2d(x, 1).flatten(1)

    class Patch(nn.Module):
        """The three groups of the patch network, for images of 32x32."""

        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
            self.layer1, self.layer2, self.layer3 = groups(PreActivation, (3, 4, 6))
            self.norm = nn.BatchNorm2d(1024)

        def forward(self, x):
            x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
            return F.relu(self.norm(x))

    class Attention(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
            self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

        def forward(self, x):
            split = lambda x: x.unflatten(2, (self.heads, -1)).transpose(1, 2)
            q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
            return self.output(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    class FeedForward(nn.Module):
        def __init__(self, width, inner):
            super().__init__()
            self.linear_inner, self.linear_outer = nn.Linear(width, inner), nn.Linear(inner, width)

        def forward(self, x):
            return self.linear_outer(F.gelu(self.linear_inner(x)))

    class Layer(nn.Module):
        def __init__(self, width, heads, inner):
            super().__init__()
            self.mha, self.pwff = Attention(width, heads), FeedForward(width, inner)
            self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)

        def forward(self, x):
            x = self.norm_1(x + self.mha(x))
            return self.norm_2(x + self.pwff(x))

    class Encoder(nn.Module):
        def __init__(self, width, heads, inner, layers):
            super().__init__()
            self.layers = nn.ModuleList(Layer(width, heads, inner) for _ in range(layers))

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    class Pooling(nn.Module):
        def __init__(self, width, heads, inner, layers):
            super().__init__()
            self.u_0 = nn.Parameter(torch.zeros(1, 1, width))
            self.encoder = Encoder(width, heads, inner, layers)

        def forward(self, h):
            tokens = torch.cat([self.u_0.expand(h.shape[0], -1, -1), h], 1)
            return self.encoder(tokens)[:, 0]

    class Classifier(nn.Module):
        """Gives the vector and the scores, as the exported networks do."""

        def __init__(self, resnet, pooling, width, classes):
            super().__init__()
            self.resnet, self.fc = resnet, nn.Linear(width, classes)
            if pooling is not None:
                self.pooling = pooling

        def forward(self, x):
            x = self.resnet(x)
            embedding = x if x.ndim == 2 else self.pooling(x.flatten(2).transpose(1, 2))
            return embedding, self.fc(embedding)

    if name == "resnet50":
        return Classifier(ResNet50(), None, 2048, 1000), (3, 224, 224)
    return Classifier(Patch(), Pooling(1024, 32, 640, 3), 1024, 10), (3, 32, 32)


def export(name, weights, out, opset, times):
    import torch

    model, shape = network(name)
    found = read_weights(weights)
    missing, unexpected = model.load_state_dict(found, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"the networks differ: missing {missing[:3]}, not known {unexpected[:3]}")
    model.eval()
    images = torch.zeros(2, *shape)
    before, seconds, peak = peak_bytes(), [], 0
    for _ in range(int(times)):
        start = time.perf_counter()
        program = torch.onnx.export(
            model,
            (images,),
            dynamo=True,
            optimize=True,
            opset_version=int(opset),
            input_names=["pixel_values"],
            output_names=["embedding", "logits"],
            dynamic_shapes={"x": {0: torch.export.Dim("batch")}},
            verbose=False,
        )
        program.save(out, external_data=False)
        seconds.append(time.perf_counter() - start)
        peak = peak or peak_bytes()
    return {"seconds": seconds, "before_bytes": before, "peak_bytes": peak, "version": torch.__version__}


def latency(ours, theirs, channels, height, width, threads, *plan):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    start = lambda path: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    sessions = [start(ours), start(theirs)]
    answers = []
    for entry in plan:
        batch, rounds = map(int, entry.split(":"))
        shape = batch, int(channels), int(height), int(width)
        images = numpy.random.default_rng(batch).standard_normal(shape, dtype=numpy.float32)
        seconds, outputs = [[], []], [None, None]
        for turn in range(rounds + 1):
            # Who goes first changes every round, so that neither always finds the caches of the other.
            for side in (0, 1) if turn % 2 else (1, 0):
                begun = time.perf_counter()
                outputs[side] = sessions[side].run(None, {"pixel_values": images})
                if turn:
                    seconds[side].append(time.perf_counter() - begun)
        difference = max(float(abs(a - b).max() / abs(b).max()) for a, b in zip(*outputs))
        answers.append({"batch": batch, "ours": seconds[0], "theirs": seconds[1], "difference": difference})
    return {"batches": answers, "version": onnxruntime.__version__}


if __name__ == "__main__":
    command = {"export": export, "latency": latency}[sys.argv[1]]
    print(json.dumps(command(*sys.argv[2:])))
