//! Counts and times since a model was loaded.
//!
//! `inference_count` counts items and `execution_count` batches: their ratio is the mean batch size. `queue` counts items,
//! `compute_input` images that the server prepared, `compute_infer` batches, `cache_hit` and `cache_miss` images that were looked for in the cache, which stay 0 without one.
//! Outputs are handed on within `compute_infer`, so `compute_output` stays 0.
//!
//! # Source
//! Triton's statistics extension.

use crate::Error;
use crate::engine::{Engine, Served, Which};
use crate::metrics::Total;
use serde::Serialize;
use std::collections::BTreeMap;

/// The statistics of one model.
#[derive(Serialize)]
pub struct ModelStats {
    /// The model's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When a batch ended last, in milliseconds of Unix time, or 0.
    pub last_inference: u64,
    /// Items that the runtime has run.
    pub inference_count: u64,
    /// Batches that the runtime has run.
    pub execution_count: u64,
    /// Counts and times by stage.
    pub inference_stats: InferenceStats,
    /// Counts and times by size of the batch.
    pub batch_stats: Vec<BatchStats>,
    /// Always empty: no model answers more than once.
    pub response_stats: BTreeMap<String, Total>,
    /// Always empty: the runtimes do not say.
    pub memory_usage: [u64; 0],
}

/// Counts and times by stage.
#[derive(Serialize)]
pub struct InferenceStats {
    /// Requests that were answered.
    pub success: Total,
    /// Requests that failed.
    pub fail: Total,
    /// Waiting for the runtime.
    pub queue: Total,
    /// Image bytes to input tensor.
    pub compute_input: Total,
    /// The runtime.
    pub compute_infer: Total,
    /// Always 0.
    pub compute_output: Total,
    /// Images that were answered from the cache.
    pub cache_hit: Total,
    /// Images that were not in the cache.
    pub cache_miss: Total,
}

/// Counts and times of batches of one size.
#[derive(Serialize)]
pub struct BatchStats {
    /// The size.
    pub batch_size: usize,
    /// Always 0.
    pub compute_input: Total,
    /// The runtime.
    pub compute_infer: Total,
    /// Always 0.
    pub compute_output: Total,
}

/// The statistics of every version that answers.
pub fn all_statistics(engine: &Engine) -> Vec<ModelStats> {
    engine.served().iter().map(|served| statistics(served)).collect()
}

/// The statistics of every version of a model that answers.
///
/// # Errors
/// The name is unknown, or the model was refused.
pub fn model_statistics(engine: &Engine, name: &str) -> Result<Vec<ModelStats>, Error> {
    let served = engine.find(Some(name), Which::Usual)?;
    match engine.serving(name) {
        Some(serving) => Ok(serving.versions().map(|served| statistics(served)).collect()),
        // The name says which version is meant.
        None => Ok(vec![statistics(&served)]),
    }
}

/// The statistics of a version.
pub fn statistics(served: &Served) -> ModelStats {
    let snapshot = served.metrics.statistics().snapshot();
    let none = Total::default();
    let batch = |(batch_size, compute_infer): (&usize, &Total)| BatchStats {
        batch_size: *batch_size,
        compute_input: none,
        compute_infer: *compute_infer,
        compute_output: none,
    };
    ModelStats {
        name: served.name.clone(),
        version: served.version.to_string(),
        last_inference: snapshot.last_inference_ms,
        inference_count: snapshot.items(),
        execution_count: snapshot.infer.count,
        inference_stats: InferenceStats {
            success: snapshot.success,
            fail: snapshot.fail,
            queue: snapshot.queue,
            compute_input: snapshot.decode,
            compute_infer: snapshot.infer,
            compute_output: none,
            cache_hit: snapshot.hit,
            cache_miss: snapshot.miss,
        },
        batch_stats: snapshot.batches.iter().map(batch).collect(),
        response_stats: BTreeMap::new(),
        memory_usage: [],
    }
}
