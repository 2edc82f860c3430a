//! Recipes: everything that decides a run, as TOML that holds only what differs from the defaults.

mod builtin;
mod check;
mod network;
mod read;
mod settings;

pub use builtin::BUILTIN;
pub use network::{Head, NetworkRecipe};

use crate::data::{Augment, Reading};
use serde::{Deserialize, Serialize};

/// Everything that decides a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Name of the recipe; the model card carries it.
    pub name: String,
    /// Pretraining or fine-tuning.
    pub stage: Stage,
    /// Data set, as [`crate::data::open`] takes it.
    pub data: String,
    /// Seed of all randomness; at most 2^63 - 1, TOML's largest number.
    pub seed: u64,
    /// Training steps.
    pub steps: u64,
    /// Images of a step.
    pub batch_size: usize,
    /// Largest learning rate.
    pub lr: f64,
    /// Steps over which the learning rate rises to `lr`.
    pub warmup_steps: u64,
    /// Nesterov momentum.
    pub momentum: f64,
    /// L2 penalty on weight matrices and kernels.
    pub weight_decay: f64,
    /// Bound of the global gradient norm; 0 is no bound.
    pub clip_norm: f64,
    /// Part of the training labels that fine-tuning sees, above 0 and at most 1; pretraining sees none.
    pub label_fraction: f64,
    /// Steps between two lines of metrics.
    pub log_every: u64,
    /// Steps between two checkpoints; 0 keeps none.
    pub checkpoint_every: u64,
    /// Checkpoints that are kept, the newest ones.
    pub keep_checkpoints: usize,
    /// Steps between two evaluations on the test split; 0 evaluates at the end alone. No choice is made by them.
    pub evaluate_every: u64,
    /// Images of an evaluation batch.
    pub evaluation_batch_size: usize,
    /// Threads that load images.
    pub workers: usize,
    /// Batches that are loaded ahead.
    pub prefetch: usize,
    /// Whether the metrics are written for TensorBoard as well.
    pub tensorboard: bool,
    /// How the images of the data set are read.
    pub images: Reading,
    /// Random changes of training images.
    pub augment: Augment,
    /// The network.
    pub network: NetworkRecipe,
}

/// What a recipe trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The Selfie task on images without labels.
    Pretrain,
    /// Classification with labels.
    Finetune,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Pretrain => "pretrain",
            Self::Finetune => "finetune",
        })
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            name: String::new(),
            stage: Stage::Pretrain,
            data: "fashion-mnist".into(),
            seed: 1,
            steps: 120_000,
            batch_size: 512,
            lr: 0.1,
            warmup_steps: 500,
            momentum: 0.9,
            weight_decay: 1e-4,
            clip_norm: 0.0,
            label_fraction: 1.0,
            log_every: 20,
            checkpoint_every: 500,
            keep_checkpoints: 2,
            evaluate_every: 0,
            evaluation_batch_size: 250,
            workers: 1,
            prefetch: 4,
            tensorboard: false,
            images: Reading::default(),
            augment: Augment { crop_padding: 0, flip: false },
            network: NetworkRecipe::default(),
        }
    }
}

impl Recipe {
    /// The settings that a resumed run may change, since they do not reach the weights.
    pub(crate) const FREE_ON_RESUME: &[&str] = &[
        "log_every",
        "checkpoint_every",
        "keep_checkpoints",
        "evaluate_every",
        "evaluation_batch_size",
        "workers",
        "prefetch",
        "tensorboard",
        "images.memory_mb",
    ];
}

#[cfg(test)]
mod tests;
