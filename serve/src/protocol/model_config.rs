//! How a model is served, in the words of Triton's configuration.
//!
//! # Source
//! Triton's model configuration extension; its `ModelConfig` message.

use crate::config::Config;
use crate::engine::{Engine, Served};
use crate::runtime::BatchBuckets;
use selfie_models::card::{Input, Layout};

/// How a model is served.
pub struct ModelConfig<'a> {
    /// The model's name.
    pub name: &'a str,
    /// The runtime and the kind of file.
    pub platform: String,
    /// The runtime.
    pub backend: &'static str,
    /// The versions that are served, where rules say so and not their numbers.
    pub versions: Option<Vec<u64>>,
    /// The largest batch that the runtime gets.
    pub max_batch_size: usize,
    /// The input.
    pub input: &'a Input,
    /// Triton's name of the input's layout.
    pub format: &'static str,
    /// Sides of the input without the batch, as Triton has it.
    pub dims: [usize; 3],
    /// Names and widths of the outputs.
    pub outputs: Vec<(&'a str, usize)>,
    /// Batches that the runtime runs at once.
    pub at_once: usize,
    /// The GPU that it runs on, if it runs on one.
    pub gpu: Option<u16>,
    /// Most items that wait.
    pub max_queue_size: usize,
    /// Why this runtime was chosen.
    pub runtime_reason: &'a str,
    /// The batch sizes that the runtime gets.
    pub batch_buckets: String,
}

/// Describes how a model is served.
pub fn model_config<'a>(engine: &Engine, served: &'a Served, config: &Config) -> ModelConfig<'a> {
    let ruled = engine.serving(&served.name).filter(|serving| serving.has_rules());
    let (model, file) = (&served.model, &served.model.file);
    let [_, dims @ ..] = file.card.input.shape(0);
    ModelConfig {
        name: &served.name,
        platform: served.platform(),
        backend: model.choice.runtime,
        versions: ruled.map(|serving| serving.numbers()),
        max_batch_size: served.max_batch_size(),
        input: &file.card.input,
        format: match file.card.input.layout {
            Layout::Nchw => "FORMAT_NCHW",
            Layout::Nhwc => "FORMAT_NHWC",
        },
        dims,
        outputs: file.output_names().into_iter().zip(file.output_widths()).collect(),
        at_once: model.at_once(),
        gpu: model.choice.device.nvidia(),
        max_queue_size: config.max_queue_items,
        runtime_reason: &model.choice.reason,
        batch_buckets: match model.buckets() {
            [] => BatchBuckets::None.to_string(),
            sizes => BatchBuckets::Sizes(sizes.to_vec()).to_string(),
        },
    }
}
