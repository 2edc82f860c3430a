//! What is known about one model of the store: the version that answers and the one that does not.

use super::Served;
use std::sync::Arc;

/// One model of the store.
#[derive(Clone, Default)]
pub struct Slot {
    /// The version that answers.
    pub served: Option<Arc<Served>>,
    /// The version that was looked at last, when it is not what answers.
    pub aside: Option<Aside>,
}

/// A version that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The version.
    pub version: u64,
    /// Why it does not answer.
    pub state: State,
}

/// Why a version does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being loaded and proven.
    Loading,
    /// It was refused, for this reason.
    Refused(String),
    /// An administrator has unloaded it, or it is gone from the store.
    Unloaded,
}

impl Slot {
    /// Whether the model answers, or does not because somebody wanted so.
    pub fn is_ready(&self) -> bool {
        let unloaded = self.aside.as_ref().is_some_and(|aside| aside.state == State::Unloaded);
        self.served.is_some() || unloaded
    }
}
