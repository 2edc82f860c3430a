//! `selfie_stage_duration_seconds`: where the time goes.

use super::{Versions, seconds};
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec};
use std::time::Duration;

/// A part of the way from request to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The body comes, one observation a request.
    Receive,
    /// The body becomes images or a tensor, one observation a request.
    Parse,
    /// Images come from where their URLs lead, one observation a request that has some.
    Fetch,
    /// Waiting for a decoder, one observation an image.
    Wait,
    /// Image bytes to input tensor, one observation an image.
    Decode,
    /// Waiting for the runtime, one observation an item.
    Queue,
    /// The runtime, one observation a batch.
    Infer,
    /// Neighbours are looked for in a gallery, one observation a request that asks for some.
    Search,
    /// Outputs become the answer, one observation a request.
    Encode,
}

impl Stage {
    /// Every stage, in the order in which a request goes through them.
    pub const ALL: [Self; 9] = [
        Self::Receive,
        Self::Parse,
        Self::Fetch,
        Self::Wait,
        Self::Decode,
        Self::Queue,
        Self::Infer,
        Self::Search,
        Self::Encode,
    ];

    /// The name in labels and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Parse => "parse",
            Self::Fetch => "fetch",
            Self::Wait => "wait",
            Self::Decode => "decode",
            Self::Queue => "queue",
            Self::Infer => "infer",
            Self::Search => "search",
            Self::Encode => "encode",
        }
    }

    /// Whether it is one of the whole request, rather than of an item or a batch.
    pub fn is_whole(self) -> bool {
        match self {
            Self::Receive | Self::Parse | Self::Fetch | Self::Search | Self::Encode => true,
            Self::Wait | Self::Decode | Self::Queue | Self::Infer => false,
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
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let help = "Time of a stage: receive, parse, fetch, search and encode of a request, wait (for a decoder) and decode of an \
                    image, queue of an item, infer of a batch.";
        let opts = HistogramOpts::new("selfie_stage_duration_seconds", help).buckets(seconds());
        Ok(Self { duration: versions.add(HistogramVec::new(opts, &["model", "version", "stage"]))? })
    }

    /// Counts one observation.
    pub fn observe(&self, [model, version]: &[&str; 2], stage: Stage, took: Duration) {
        self.duration.with_label_values(&[model, version, stage.name()]).observe(took.as_secs_f64());
    }
}
