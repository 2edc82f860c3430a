//! `selfie_stage_duration_seconds`: where the time goes.

use super::{register, seconds};
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec, Registry};
use std::time::Duration;

/// A part of the way from request to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for a decoder, one observation an image.
    Wait,
    /// Image bytes to input tensor, one observation an image.
    Decode,
    /// Waiting for the runtime, one observation an item.
    Queue,
    /// The runtime, one observation a batch.
    Infer,
}

impl Stage {
    /// The name in labels and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Decode => "decode",
            Self::Queue => "queue",
            Self::Infer => "infer",
        }
    }
}

/// Metrics of stages.
pub struct Stages {
    duration: HistogramVec,
}

impl Stages {
    /// Registers the metric.
    ///
    /// # Errors
    /// The name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let help =
            "Time of a stage: wait (an image, for a decoder), decode (an image), queue (an item), infer (a batch).";
        let opts = HistogramOpts::new("selfie_stage_duration_seconds", help).buckets(seconds());
        Ok(Self { duration: register(registry, HistogramVec::new(opts, &["model", "version", "stage"]))? })
    }

    /// Counts one observation.
    pub fn observe(&self, [model, version]: &[&str; 2], stage: Stage, took: Duration) {
        self.duration.with_label_values(&[model, version, stage.name()]).observe(took.as_secs_f64());
    }
}
