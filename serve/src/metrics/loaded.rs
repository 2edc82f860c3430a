//! `selfie_model_state`, `selfie_model_load_seconds` and `selfie_model_memory_bytes`: which models are served, and what they hold.

use super::{MODEL, Versions, register};
use crate::Error;
use prometheus::{GaugeVec, IntGaugeVec, Opts};
use std::time::Duration;

/// The states that a version may be in.
const STATES: [&str; 3] = ["LOADING", "READY", "UNAVAILABLE"];

/// Metrics of loading.
pub struct Loaded {
    /// Also of versions that were refused, whose metrics nobody holds.
    state: IntGaugeVec,
    seconds: GaugeVec,
    memory: IntGaugeVec,
}

impl Loaded {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let state = Opts::new("selfie_model_state", "1 for the state that a model is in.");
        let seconds = Opts::new("selfie_model_load_seconds", "Time to load a model and run its golden samples.");
        let memory = Opts::new("selfie_model_memory_bytes", "Weights that the sessions of a model hold, each its own.");
        Ok(Self {
            state: register(versions.registry(), IntGaugeVec::new(state, &["model", "version", "state"]))?,
            seconds: versions.add(GaugeVec::new(seconds, &MODEL))?,
            memory: versions.add(IntGaugeVec::new(memory, &["model", "version", "device"]))?,
        })
    }

    /// The model is being loaded and proven.
    pub fn loading(&self, labels: &[&str; 2]) {
        self.set(labels, Some("LOADING"));
    }

    /// The model is served.
    pub fn ready(&self, labels: &[&str; 2], took: Duration) {
        self.set(labels, Some("READY"));
        self.seconds.with_label_values(labels).set(took.as_secs_f64());
    }

    /// The sessions of the model hold so many bytes on `device`.
    pub fn holds(&self, [model, version]: &[&str; 2], device: &str, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.memory.with_label_values(&[*model, *version, device]).set(bytes);
    }

    /// The model was refused.
    pub fn unavailable(&self, labels: &[&str; 2]) {
        self.set(labels, Some("UNAVAILABLE"));
    }

    /// The model is in none of these states any more.
    pub fn gone(&self, labels: &[&str; 2]) {
        self.set(labels, None);
    }

    fn set(&self, [model, version]: &[&str; 2], now: Option<&str>) {
        for state in STATES {
            self.state.with_label_values(&[model, version, state]).set(i64::from(now == Some(state)));
        }
    }
}
