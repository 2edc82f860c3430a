//! What the log shows, changed while the server runs.
//!
//! The log is the process's, as that of `tracing` is. Whoever sets it up says by [`install`] how it is changed.

use std::sync::OnceLock;

/// Which of the server's own lines the log shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Errors.
    pub errors: bool,
    /// Warnings.
    pub warnings: bool,
    /// What happens in the usual life of a server.
    pub infos: bool,
    /// More than that: 0 nothing, 1 what helps to find a mistake, from 2 on everything.
    pub verbose: u32,
}

/// A log that can be changed.
pub trait Log: Send + Sync {
    /// What it shows.
    fn shown(&self) -> Shown;

    /// Shows this from now on.
    fn show(&self, shown: Shown);
}

static LOG: OnceLock<Box<dyn Log>> = OnceLock::new();

/// Says how the log of this process is changed. The first one counts.
pub fn install(log: impl Log + 'static) {
    let _ = LOG.set(Box::new(log));
}

/// The log of this process, where it can be changed.
pub fn log() -> Option<&'static dyn Log> {
    LOG.get().map(Box::as_ref)
}
