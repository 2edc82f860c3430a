//! What is known about one model of the store: the versions that answer and those that do not.

use super::Serving;
use crate::metrics::Statistics;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One model of the store.
#[derive(Clone, Default)]
pub struct Slot {
    /// The versions that answer.
    pub serving: Option<Arc<Serving>>,
    /// The versions that were looked at last and are not what answers, and why not.
    pub aside: BTreeMap<u64, State>,
    /// Counts of the versions that were unloaded last.
    pub(super) unloaded: BTreeMap<u64, Arc<Statistics>>,
    /// Whether it must answer for the server to be ready: it was there at the start, or has answered and was not unloaded since.
    pub is_wanted: bool,
}

/// Why a version does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being loaded and proven.
    Loading,
    /// It was refused, for this reason.
    Refused(String),
    /// An administrator has unloaded it.
    Unloaded,
}

impl Slot {
    /// Whether a version that was unloaded has requests that it still answers.
    pub fn is_unloading(&self, version: u64) -> bool {
        self.unloaded.get(&version).is_some_and(|statistics| statistics.pending() > 0)
    }

    /// Whether the model answers, or does not because somebody wanted so.
    pub fn is_ready(&self) -> bool {
        match &self.serving {
            Some(serving) => !serving.is_broken(),
            None => self.aside.values().any(|state| *state == State::Unloaded),
        }
    }
}
