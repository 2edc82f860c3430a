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
WRITTEN_FOR = "Written for the runtime"
GROUPS = [SELFIE, SMALLER, NETWORKS]


@dataclasses.dataclass(frozen=True)
class Model:
    """One file: compiled from a run, already there, or written by the tests of the compiler (`network`). `lowered` says
    that the card and not this table tells how far an answer may be off. `target` is the runtime that it is written for."""

    name: str
    group: str = SELFIE
    run: str | None = None
    export: tuple[str, ...] = ()
    file: str | None = None
    network: bool = False
    lowered: bool = False
    quick: bool = False
    target: str | None = None

    @property
    def title(self):
        """The name that is unique over all groups."""
        if self.target:
            return f"{self.name} (for {self.target})"
        return self.name if self.group == SELFIE else f"{self.name} ({self.group.lower()})"

    def written_for(self, target):
        """The same with `--target`."""
        return dataclasses.replace(self, target=target)


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
    Model("classifier, bf16", SMALLER, "classifier", ("--precision", "bf16"), lowered=True),
    Model("classifier, int8", SMALLER, "classifier", ("--precision", "int8", *CALIBRATION), lowered=True),
    Model("classifier, weights apart", SMALLER, "classifier", ("--external-data",)),
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
# The same networks, where a runtime has a target, which chooses the opset.
TARGETED = [
    Model("embedding", WRITTEN_FOR, run="embedding"),
    Model("classifier", WRITTEN_FOR, run="classifier"),
    Model("attention-head", WRITTEN_FOR, run="attention-head"),
    *(dataclasses.replace(model, group=WRITTEN_FOR, quick=False) for model in MODELS if model.file),
    *(
        dataclasses.replace(model, group=WRITTEN_FOR, name=model.name.removeprefix("classifier, "))
        for model in MODELS
        if model.group == SMALLER
    ),
    *(dataclasses.replace(model, group=WRITTEN_FOR) for model in MODELS if model.network),
]
COUNTED_TARGETED = TARGETED[:2]
