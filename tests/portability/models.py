"""The models that every runtime is asked to run, and how each comes about."""

import dataclasses

# Small networks after three steps of training: what is compared is the arithmetic, not what was learnt.
SHORT = ["--set", "steps=3", "--set", "warmup_steps=1", "--set", "batch_size=8", "--set", "network.width=4"]
FINETUNE = ["finetune", "--recipe", "quickstart-finetune", *SHORT]
CALIBRATION = ("--calibrate", "fashion-mnist-sample")

RUNS = {
    "embedding": ["pretrain", "--recipe", "quickstart-pretrain", *SHORT],
    "classifier": FINETUNE,
    "attention-head": [*FINETUNE, "--set", "network.head=attention-pooling"],
}
OPSETS = [13, 17, 20, 23]
DEFAULT_OPSET = 17

SELFIE = "The networks of Selfie, in f32"
SMALLER = "Bytes as input, lower precision"
NETWORKS = "Other networks out of the compiler"
GROUPS = [SELFIE, SMALLER, NETWORKS]


@dataclasses.dataclass(frozen=True)
class Model:
    """One file: compiled from a run, already there, or written by the tests of the compiler (`network`). `lowered` says
    that the card and not this table tells how far an answer may be off."""

    name: str
    group: str = SELFIE
    run: str | None = None
    export: tuple[str, ...] = ()
    file: str | None = None
    network: bool = False
    lowered: bool = False
    quick: bool = False

    @property
    def title(self):
        """The name that is unique over all groups."""
        return self.name if self.group == SELFIE else f"{self.name} ({self.group.lower()})"


# The attention head has most kinds of operators, so it is the one that is written at every opset.
MODELS = [
    Model("embedding, opset 17", run="embedding", quick=True),
    Model("classifier, opset 17", run="classifier", quick=True),
    *(
        Model(
            f"attention-head, opset {opset}",
            run="attention-head",
            export=("--opset", str(opset)),
            quick=opset == DEFAULT_OPSET,
        )
        for opset in OPSETS
    ),
    Model("pretrained/fashion-mnist", file="models/pretrained/fashion-mnist/1/model.onnx", quick=True),
    Model("classifier, u8", SMALLER, "classifier", ("--input", "u8")),
    Model("classifier, f16", SMALLER, "classifier", ("--precision", "f16"), lowered=True),
    Model("classifier, int8", SMALLER, "classifier", ("--precision", "int8", *CALIBRATION), lowered=True),
    *(
        Model(name, NETWORKS, network=True)
        for name in (
            "MLP",
            "LeNet",
            "VGG-11",
            "ResNet-18",
            "MobileNetV3",
            "ConvNeXt",
            "U-Net",
            "ViT",
            "Swin blocks",
            "TCN",
        )
    ),
]
# What has to run within the tolerance for a runtime to count in the summary.
COUNTED = [MODELS[0], MODELS[1]]
