//! `selfie_cache_hits_total`, `selfie_cache_misses_total`, `selfie_cache_evictions_total` and `selfie_cache_bytes`: images that were answered before.

use super::{MODEL, Versions, register};
use crate::Error;
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};

/// Metrics of the cache.
pub struct Cache {
    hits: IntCounterVec,
    misses: IntCounterVec,
    /// Answers that made room for others. All versions share it.
    pub evictions: IntCounter,
    /// What the answers take.
    pub bytes: IntGauge,
}

impl Cache {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let hits = Opts::new("selfie_cache_hits_total", "Images that were answered from the cache.");
        let misses = Opts::new("selfie_cache_misses_total", "Images that were looked for in the cache and not there.");
        let evictions =
            IntCounter::new("selfie_cache_evictions_total", "Answers in the cache that made room for others.");
        Ok(Self {
            evictions: register(versions.registry(), evictions)?,
            hits: versions.add(IntCounterVec::new(hits, &MODEL))?,
            misses: versions.add(IntCounterVec::new(misses, &MODEL))?,
            bytes: register(
                versions.registry(),
                IntGauge::new("selfie_cache_bytes", "Memory of the answers in the cache."),
            )?,
        })
    }

    /// Counts an image that was looked for.
    pub fn looked(&self, labels: &[&str], is_there: bool) {
        let counter = if is_there { &self.hits } else { &self.misses };
        counter.with_label_values(labels).inc();
    }
}
