//! `selfie_gallery_vectors` and `selfie_search_...`: galleries and searches in them.

use super::{register, seconds};
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};
use std::time::Duration;

/// Metrics of galleries.
#[derive(Clone)]
pub struct Galleries {
    vectors: IntGaugeVec,
    queries: IntCounterVec,
    duration: HistogramVec,
}

impl Galleries {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let vectors = Opts::new("selfie_gallery_vectors", "Vectors of a gallery.");
        let queries = Opts::new("selfie_search_queries_total", "Vectors that were searched for.");
        let duration = HistogramOpts::new("selfie_search_duration_seconds", "Time of the search of one request.");
        Ok(Self {
            vectors: register(registry, IntGaugeVec::new(vectors, &["gallery"]))?,
            queries: register(registry, IntCounterVec::new(queries, &["gallery"]))?,
            duration: register(registry, HistogramVec::new(duration.buckets(seconds()), &["gallery"]))?,
        })
    }

    /// A gallery was opened.
    pub fn opened(&self, gallery: &str, vectors: usize) {
        self.vectors.with_label_values(&[gallery]).set(i64::try_from(vectors).unwrap_or(i64::MAX));
    }

    /// A request with some queries was searched for.
    pub fn searched(&self, gallery: &str, queries: usize, took: Duration) {
        self.queries.with_label_values(&[gallery]).inc_by(queries as u64);
        self.duration.with_label_values(&[gallery]).observe(took.as_secs_f64());
    }
}
