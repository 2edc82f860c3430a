"""The models that every runtime is asked to run: a run folder, and the flags of `selfie export`."""

import dataclasses

# Small networks after three steps of training: what is compared is the arithmetic, not what was learnt.
SHORT = ["--set", "steps=3", "--set", "warmup_steps=1", "--set", "batch_size=8", "--set", "network.width=4"]
FINETUNE = ["finetune", "--recipe", "quickstart-finetune", *SHORT]

RUNS = {
    "embedding": ["pretrain", "--recipe", "quickstart-pretrain", *SHORT],
    "classifier": FINETUNE,
    "attention-head": [*FINETUNE, "--set", "network.head=attention-pooling"],
}
OPSETS = [13, 17, 20, 23]
DEFAULT_OPSET = 17


@dataclasses.dataclass(frozen=True)
class Model:
    """One file: compiled from a run, or already there."""

    name: str
    run: str | None = None
    export: tuple[str, ...] = ()
    file: str | None = None
    quick: bool = False


# The attention head has most kinds of operators, so it is the one that is written at every opset.
MODELS = [
    Model("embedding, opset 17", "embedding", quick=True),
    Model("classifier, opset 17", "classifier", quick=True),
    *(
        Model(f"attention-head, opset {opset}", "attention-head", ("--opset", str(opset)), quick=opset == DEFAULT_OPSET)
        for opset in OPSETS
    ),
    Model("pretrained/fashion-mnist", file="models/pretrained/fashion-mnist/1/model.onnx", quick=True),
]
