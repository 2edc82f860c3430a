//! Loading one version of a model.

use super::Served;
use super::cache::Cache;
use super::decoders::Decoders;
use super::rehearsal::Rehearsal;
use crate::batch::{Batcher, Limits};
use crate::metrics::Metrics;
use crate::model::Model;
use crate::runtime::{Candidate, Options, choose};
use crate::store::Entry;
use crate::{Config, Error};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// What every load needs.
pub struct Loader {
    config: Config,
    metrics: Metrics,
    candidates: Vec<Candidate>,
    options: Options,
    decoders: Arc<Decoders>,
    cache: Option<Cache>,
    rehearsal: Option<Rehearsal>,
}

impl Loader {
    /// Chooses the runtimes that may serve and starts the threads that decode images.
    ///
    /// # Errors
    /// The runtime is missing, or the system gives no threads.
    pub fn new(config: &Config, metrics: &Metrics) -> Result<Self, Error> {
        let options = Options {
            runtime: config.runtime.clone(),
            device: config.device,
            threads: config.threads,
            sessions: config.sessions,
            onnxruntime: config.onnxruntime.clone(),
            batch_buckets: config.batch_buckets.clone(),
            io_binding: config.io_binding,
            max_batch_size: config.max_batch_size,
        };
        let candidates = choose(&options)?;
        for Candidate { choice, .. } in &candidates {
            tracing::info!("runtime {} on {}: {}", choice.runtime, choice.device, choice.reason);
        }
        let decoders = Arc::new(Decoders::new(config)?);
        let cache = Cache::new(config.cache_bytes, metrics);
        let (config, metrics, rehearsal) = (config.clone(), metrics.clone(), Rehearsal::new(config));
        Ok(Self { config, metrics, candidates, options, decoders, cache, rehearsal })
    }

    /// The options.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The folder of the store.
    pub fn store(&self) -> &Path {
        &self.config.models
    }

    /// Loads a version, proves it, and starts its batcher. A version that is served already answers on when it is refused, and is
    /// none that is unavailable.
    ///
    /// # Errors
    /// The version is refused.
    pub fn load(&self, entry: &Entry, version: u64, is_served: bool) -> Result<Served, Error> {
        let (start, name) = (Instant::now(), &entry.name);
        if !is_served {
            self.metrics.model(name, version).loading();
        }
        // A panic must cost this version, not the thread that looks at the store.
        let loaded = catch_unwind(AssertUnwindSafe(|| self.served(entry, version))).unwrap_or_else(|_| {
            let path = entry.file(version).to_owned();
            Err(Error::ModelFile { path, reason: "the server panicked while it was loaded; the log says where".into() })
        });
        match &loaded {
            Ok(served) => {
                served.metrics.loaded(start.elapsed());
                let model = &served.model;
                served.metrics.holds(&model.choice.device.to_string(), model.weight_bytes());
                tracing::info!("model {name} version {version} is ready after {:?}", start.elapsed());
            }
            Err(error) => {
                if !is_served {
                    self.metrics.model(name, version).refused();
                }
                tracing::error!("model {name} version {version} is refused: {error}");
            }
        }
        loaded
    }

    fn served(&self, entry: &Entry, version: u64) -> Result<Served, Error> {
        let Self { config, .. } = self;
        // As they are now: a change while they are read counts as one that comes later.
        let files = entry.files(version);
        let path = entry.file(version);
        let survivors =
            self.rehearsal.as_ref().map(|rehearsal| rehearsal.survivors(path, &self.candidates)).transpose()?;
        let candidates = survivors.as_ref().unwrap_or(&self.candidates);
        let model = Arc::new(Model::load(path, candidates, &self.options, config.into())?);
        let metrics = self.metrics.model(&entry.name, version);
        let max_batch_size = model.largest_batch().unwrap_or(config.max_batch_size).min(config.max_batch_size);
        let limits = Limits { max_batch_size, max_queue_items: config.max_queue_items };
        let batcher = Batcher::start(&entry.name, model.clone(), limits, metrics.clone())?;
        Ok(Served {
            name: entry.name.clone(),
            version,
            model,
            metrics,
            max_request_items: config.request_items(),
            files,
            shadow: None,
            batcher: Arc::new(batcher),
            decoders: self.decoders.clone(),
            cache: self.cache.as_ref().map(Cache::for_another),
        })
    }
}
