//! The recipes that come with the crate.

/// Names and texts of the recipes that come with the crate.
pub const BUILTIN: &[(&str, &str)] = &[
    ("quickstart-pretrain", include_str!("../../recipes/quickstart-pretrain.toml")),
    ("quickstart-finetune", include_str!("../../recipes/quickstart-finetune.toml")),
    ("fashion-mnist-pretrain", include_str!("../../recipes/fashion-mnist-pretrain.toml")),
    ("fashion-mnist-finetune", include_str!("../../recipes/fashion-mnist-finetune.toml")),
    ("fashion-mnist-attention-finetune", include_str!("../../recipes/fashion-mnist-attention-finetune.toml")),
    ("photos-pretrain", include_str!("../../recipes/photos-pretrain.toml")),
    ("photos-finetune", include_str!("../../recipes/photos-finetune.toml")),
    ("parity-pretrain", include_str!("../../recipes/parity-pretrain.toml")),
    ("parity-finetune", include_str!("../../recipes/parity-finetune.toml")),
    ("cifar10-pretrain", include_str!("../../recipes/cifar10-pretrain.toml")),
    ("cifar10-finetune", include_str!("../../recipes/cifar10-finetune.toml")),
    ("cifar10-attention-finetune", include_str!("../../recipes/cifar10-attention-finetune.toml")),
    ("imagenet32-pretrain", include_str!("../../recipes/imagenet32-pretrain.toml")),
    ("imagenet32-finetune", include_str!("../../recipes/imagenet32-finetune.toml")),
    ("imagenet32-attention-finetune", include_str!("../../recipes/imagenet32-attention-finetune.toml")),
    ("imagenet224-pretrain", include_str!("../../recipes/imagenet224-pretrain.toml")),
    ("imagenet224-finetune", include_str!("../../recipes/imagenet224-finetune.toml")),
    ("imagenet224-attention-finetune", include_str!("../../recipes/imagenet224-attention-finetune.toml")),
];
