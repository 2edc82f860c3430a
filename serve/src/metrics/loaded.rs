//! `selfie_model_state` and `selfie_model_load_seconds`: which models are served.

use super::{MODEL, register};
use crate::Error;
use prometheus::{GaugeVec, IntGaugeVec, Opts, Registry};
use std::time::Duration;

/// Metrics of loading.
pub struct Loaded {
    state: IntGaugeVec,
    seconds: GaugeVec,
}

impl Loaded {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let state = Opts::new("selfie_model_state", "1 for the state that a model is in.");
        let seconds = Opts::new("selfie_model_load_seconds", "Time to load a model and run its golden samples.");
        Ok(Self {
            state: register(registry, IntGaugeVec::new(state, &["model", "version", "state"]))?,
            seconds: register(registry, GaugeVec::new(seconds, &MODEL))?,
        })
    }

    /// The model is served.
    pub fn ready(&self, labels: &[&str; 2], took: Duration) {
        self.set(labels, 1, 0);
        self.seconds.with_label_values(labels).set(took.as_secs_f64());
    }

    /// The model was refused.
    pub fn unavailable(&self, labels: &[&str; 2]) {
        self.set(labels, 0, 1);
    }

    /// The model is neither served nor refused any more.
    pub fn gone(&self, labels: &[&str; 2]) {
        self.set(labels, 0, 0);
    }

    fn set(&self, [model, version]: &[&str; 2], ready: i64, unavailable: i64) {
        self.state.with_label_values(&[model, version, "READY"]).set(ready);
        self.state.with_label_values(&[model, version, "UNAVAILABLE"]).set(unavailable);
    }
}
