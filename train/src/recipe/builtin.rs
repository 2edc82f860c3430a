//! The recipes that come with the crate.

/// Names and texts of the recipes that come with the crate.
pub const BUILTIN: &[(&str, &str)] = &[
    ("quickstart-pretrain", include_str!("../../recipes/quickstart-pretrain.toml")),
    ("quickstart-finetune", include_str!("../../recipes/quickstart-finetune.toml")),
    ("fashion-mnist-pretrain", include_str!("../../recipes/fashion-mnist-pretrain.toml")),
    ("fashion-mnist-finetune", include_str!("../../recipes/fashion-mnist-finetune.toml")),
    ("parity-pretrain", include_str!("../../recipes/parity-pretrain.toml")),
    ("parity-finetune", include_str!("../../recipes/parity-finetune.toml")),
];
