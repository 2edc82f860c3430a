//! Recipes: everything that decides a run, as TOML that holds only what differs from the defaults.
//!
//! `read` finds a recipe by name among `builtin` or as a file, `settings` puts `KEY=VALUE` on top, and `check` refuses what the
//! types let pass.

mod builtin;
mod check;
mod network;
mod precision;
mod read;
mod settings;

pub use builtin::BUILTIN;
pub use network::{Head, NetworkRecipe};
pub use precision::Precision;
pub(crate) use read::text;
pub(crate) use settings::settings;

use crate::data::{Augment, LoaderConfig, Reading};
use serde::{Deserialize, Serialize};
use std::ops::Range;

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
    /// Parts of a batch that go through the network one after the other, so that it needs less memory; their gradients are
    /// averaged, and batch normalisation sees one part at a time.
    pub accumulate: usize,
    /// Numbers of activations, gradients and the weights that make them; the weights that are trained, their momentum and their
    /// average always have 32 bits, and so have batch normalisation and the loss.
    pub precision: Precision,
    /// Largest learning rate.
    pub lr: f64,
    /// Steps over which the learning rate rises to `lr`.
    pub warmup_steps: u64,
    /// Learning rate of a layer as a part of that of the next one, above 0; with 1 all have the same.
    pub layer_decay: f64,
    /// Groups of the network that keep their pretrained weights and statistics, by the beginning of their names.
    pub freeze: Vec<String>,
    /// Nesterov momentum.
    pub momentum: f64,
    /// L2 penalty on weight matrices and kernels.
    pub weight_decay: f64,
    /// Bound of the global gradient norm; 0 is no bound.
    pub clip_norm: f64,
    /// Part of every right answer that is spread over all answers, below 1; 0 is off.
    pub label_smoothing: f64,
    /// Share of the average in the moving average of the weights, below 1; 0 keeps no average.
    pub ema_decay: f64,
    /// Batches by which batch-norm statistics are estimated anew after training; 0 keeps those of training.
    pub norm_batches: u64,
    /// Evaluations on the validation images, none of them better than the best one, after which a run stops and goes back to
    /// the best one; 0 looks for no best one.
    pub patience: u64,
    /// Part of the training images that is taken out of training and used for validation, below 1; 0 uses the data set's own.
    pub validation_fraction: f64,
    /// Part of the training labels that fine-tuning sees, above 0 and at most 1; pretraining sees none.
    pub label_fraction: f64,
    /// Steps between two lines of metrics.
    pub log_every: u64,
    /// Steps between two checkpoints; 0 keeps none.
    pub checkpoint_every: u64,
    /// Checkpoints that are kept, the newest ones.
    pub keep_checkpoints: usize,
    /// Checkpoints whose steps are multiples of this are kept as well; 0 keeps none of them.
    pub keep_every: u64,
    /// Steps between two evaluations; 0 evaluates at the end alone. No choice is made by the test split.
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
            accumulate: 1,
            precision: Precision::F32,
            lr: 0.1,
            warmup_steps: 500,
            layer_decay: 1.0,
            freeze: Vec::new(),
            momentum: 0.9,
            weight_decay: 1e-4,
            clip_norm: 0.0,
            label_smoothing: 0.0,
            ema_decay: 0.0,
            norm_batches: 0,
            patience: 0,
            validation_fraction: 0.0,
            label_fraction: 1.0,
            log_every: 20,
            checkpoint_every: 500,
            keep_checkpoints: 2,
            keep_every: 0,
            evaluate_every: 0,
            evaluation_batch_size: 250,
            workers: 1,
            prefetch: 4,
            tensorboard: false,
            images: Reading::default(),
            augment: Augment::default(),
            network: NetworkRecipe::default(),
        }
    }
}

impl Recipe {
    /// The settings that a resumed run may change, since they do not reach the weights.
    const FREE_ON_RESUME: &[&str] = &[
        "log_every",
        "checkpoint_every",
        "keep_checkpoints",
        "keep_every",
        "evaluate_every",
        "evaluation_batch_size",
        "workers",
        "prefetch",
        "tensorboard",
        "images.memory_mb",
    ];
    /// Those among them that decide which step is the best one.
    const FREE_WITHOUT_CHOICE: &[&str] = &["evaluate_every", "evaluation_batch_size"];

    /// The settings that a run which has diverged may change, since it cannot go on without.
    const FREE_AFTER_DIVERGENCE: &[&str] = &["lr", "warmup_steps", "clip_norm"];

    /// How the batches of some steps are made.
    pub(crate) fn loading(&self, steps: Range<u64>) -> LoaderConfig {
        let Self { batch_size, seed, augment, workers, prefetch, .. } = *self;
        LoaderConfig { batch_size, seed, first_step: steps.start, last_step: steps.end, augment, workers, prefetch }
    }

    /// Parts of a batch on a number of devices.
    pub(crate) fn parts(&self, devices: usize) -> usize {
        self.accumulate * devices
    }

    /// Whether a run that goes on after it has diverged may have another value of a key.
    pub(crate) fn is_free_after_divergence(key: &str) -> bool {
        Self::FREE_AFTER_DIVERGENCE.contains(&key)
    }

    /// Whether a resumed run may have another value of a key.
    pub(crate) fn is_free_on_resume(&self, key: &str) -> bool {
        Self::FREE_ON_RESUME.contains(&key) && (self.patience == 0 || !Self::FREE_WITHOUT_CHOICE.contains(&key))
    }
}

#[cfg(test)]
mod tests;
