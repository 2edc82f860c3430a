"""The paper's networks in PyTorch, written from the paper and the configuration alone, with the names of our files.

Trinh, Luong, Le 2019 (arXiv 1906.02940); He et al. 2016 for the pre-activation blocks.
"""

import torch
from torch import nn
from torch.nn import functional


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution, each after batch normalisation and ReLU."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = 4 * width
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, width, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3, self.conv3 = nn.BatchNorm2d(width), nn.Conv2d(width, outputs, 1, bias=False)
        changes = stride != 1 or inputs != outputs
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False)) if changes else None

    def forward(self, x):
        activated = functional.relu(self.bn1(x))
        shortcut = x if self.downsample is None else self.downsample(activated)
        y = self.conv2(functional.relu(self.bn2(self.conv1(activated))))
        return self.conv3(functional.relu(self.bn3(y))) + shortcut


class ResNet(nn.Module):
    """Pre-activation ResNet with a stem for small images; `forward` gives one vector an image."""

    def __init__(self, config, depths):
        super().__init__()
        assert config["block"] == "pre-activation" and config["stem"] in ("small", "strided"), config
        channels = config["width"]
        stride = 2 if config["stem"] == "strided" else 1
        self.conv1 = nn.Conv2d(config["channels"], channels, 3, stride, 1, bias=False)
        self.groups = [f"layer{group + 1}" for group in range(len(depths))]
        for group, depth in enumerate(depths):
            width, blocks = config["width"] << group, []
            for block in range(depth):
                blocks.append(Bottleneck(channels, width, 2 if group > 0 and block == 0 else 1))
                channels = 4 * width
            setattr(self, self.groups[group], nn.Sequential(*blocks))
        self.norm = nn.BatchNorm2d(channels)
        self.width = channels

    def forward(self, images):
        x = self.conv1(images)
        for group in self.groups:
            x = getattr(self, group)(x)
        return functional.relu(self.norm(x)).mean((2, 3))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        batch, count, width = x.shape
        split = lambda y: y.view(batch, count, self.heads, width // self.heads).transpose(1, 2)
        context = functional.scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)))
        return self.output(context.transpose(1, 2).reshape(batch, count, width))


class FeedForward(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.linear_inner, self.linear_outer = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x):
        return self.linear_outer(functional.gelu(self.linear_inner(x)))


class Layer(nn.Module):
    """Attention and feed-forward, each with a residual and a normalisation after it, as in BERT."""

    def __init__(self, config, width):
        super().__init__()
        self.mha, self.pwff = Attention(width, config["heads"]), FeedForward(width, config["feed_forward"])
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x):
        x = self.norm_1(x + self.mha(x))
        return self.norm_2(x + self.pwff(x))


class Pooling(nn.Module):
    """u, h'_1..h'_n = Transformer(u_0, h_1..h_n), of which u is kept."""

    def __init__(self, config, width):
        super().__init__()
        assert config["dropout"] == 0 and config["learned_query"] and not config["norm_first"], config
        self.u_0 = nn.Parameter(torch.zeros(1, 1, width))
        layers = nn.ModuleList(Layer(config, width) for _ in range(config["layers"]))
        self.encoder = nn.ModuleDict({"layers": layers})

    def forward(self, h):
        x = torch.cat([self.u_0.expand(len(h), -1, -1), h], 1)
        for layer in self.encoder["layers"]:
            x = layer(x)
        return x[:, 0]


class Selfie(nn.Module):
    """The pretraining network; `loss` asks which of the masked patches belongs in which hole."""

    def __init__(self, config):
        super().__init__()
        assert config["positions"] == "cell", config
        self.config, self.patch = config, config["patch_size"]
        self.patch_network = ResNet(config["resnet"], config["resnet"]["depths"])
        width = config["pooling"]["width"] or self.patch_network.width
        self.projection = nn.Linear(self.patch_network.width, width) if width != self.patch_network.width else nn.Identity()
        self.patch_norm = nn.BatchNorm1d(width) if config["norm_patches"] else nn.Identity()
        self.pooling = Pooling(config["pooling"], width)
        cells = (config["image_size"][0] // self.patch) * (config["image_size"][1] // self.patch)
        self.positions = nn.ParameterDict({"cell": torch.zeros(cells, width)})

    def loss(self, batch):
        images, masked, visible = batch["images"], batch["masked"], batch["visible"]
        patches = images.unfold(2, self.patch, self.patch).unfold(3, self.patch, self.patch)
        patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)
        count, cells = patches.shape[:2]
        h = self.patch_norm(self.projection(self.patch_network(patches.flatten(0, 1)))).view(count, cells, -1)
        rows = torch.arange(count)[:, None]
        positions = self.positions["cell"]
        seen = h[rows, visible]
        if self.config["positions_on_inputs"]:
            seen = seen + positions[visible]
        query = self.pooling(seen)[:, None] + positions[masked]
        scores = query @ h[rows, masked].transpose(1, 2)
        if self.config["scale_scores"]:
            scores = scores / scores.new_tensor(h.shape[-1]).sqrt()
        answers = torch.arange(masked.shape[1]).repeat(count)
        return functional.cross_entropy(scores.flatten(0, 1), answers)


class Classifier(nn.Module):
    """The three groups, a fourth one, average pooling and a linear layer."""

    def __init__(self, config):
        super().__init__()
        depths = [*config["resnet"]["depths"], config["head"]["fourth-group"]["depth"]]
        self.resnet = ResNet(config["resnet"], depths)
        self.fc = nn.Linear(self.resnet.width, config["classes"])

    def loss(self, batch):
        return functional.cross_entropy(self.fc(self.resnet(batch["images"])), batch["labels"])
