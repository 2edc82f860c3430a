//! `selfie_model_state`, `selfie_model_load_seconds` and `selfie_model_memory_bytes`: which models are served, and what they hold.

use super::{MODEL, register};
use crate::Error;
use prometheus::core::Collector;
use prometheus::proto::LabelPair;
use prometheus::{GaugeVec, IntGaugeVec, Opts, Registry};
use std::time::Duration;

/// Metrics of loading.
pub struct Loaded {
    state: IntGaugeVec,
    seconds: GaugeVec,
    memory: IntGaugeVec,
}

impl Loaded {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let state = Opts::new("selfie_model_state", "1 for the state that a model is in.");
        let seconds = Opts::new("selfie_model_load_seconds", "Time to load a model and run its golden samples.");
        let memory = Opts::new("selfie_model_memory_bytes", "Weights that the sessions of a model hold, each its own.");
        Ok(Self {
            state: register(registry, IntGaugeVec::new(state, &["model", "version", "state"]))?,
            seconds: register(registry, GaugeVec::new(seconds, &MODEL))?,
            memory: register(registry, IntGaugeVec::new(memory, &["model", "version", "device"]))?,
        })
    }

    /// The model is served.
    pub fn ready(&self, labels: &[&str; 2], took: Duration) {
        self.set(labels, 1, 0);
        self.seconds.with_label_values(labels).set(took.as_secs_f64());
    }

    /// The sessions of the model hold so many bytes on `device`.
    pub fn holds(&self, [model, version]: &[&str; 2], device: &str, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.memory.with_label_values(&[*model, *version, device]).set(bytes);
    }

    /// The model was refused.
    pub fn unavailable(&self, labels: &[&str; 2]) {
        self.set(labels, 0, 1);
    }

    /// The model is neither served nor refused any more.
    pub fn gone(&self, labels: &[&str; 2]) {
        self.set(labels, 0, 0);
        self.release(labels);
    }

    /// It holds nothing any more, on any device.
    fn release(&self, [model, version]: &[&str; 2]) {
        for metric in self.memory.collect().iter().flat_map(|family| family.get_metric()) {
            let label = |name: &str| metric.get_label().iter().find(|label| label.name() == name).map(LabelPair::value);
            let is_its = label("model") == Some(*model) && label("version") == Some(*version);
            if let Some(device) = label("device").filter(|_| is_its) {
                // Only one that is not there cannot be taken out.
                let _ = self.memory.remove_label_values(&[*model, *version, device]);
            }
        }
    }

    fn set(&self, [model, version]: &[&str; 2], ready: i64, unavailable: i64) {
        self.state.with_label_values(&[model, version, "READY"]).set(ready);
        self.state.with_label_values(&[model, version, "UNAVAILABLE"]).set(unavailable);
    }
}
