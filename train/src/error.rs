//! What can go wrong in training and evaluation.

use crate::data::DataError;
use std::path::{Path, PathBuf};

/// What went wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A data set that cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A network, card or device that cannot be used.
    #[error(transparent)]
    Model(#[from] selfie_models::Error),
    /// A recipe that cannot be followed.
    #[error("recipe {origin}: {reason}")]
    Recipe {
        /// Name or file of the recipe.
        origin: String,
        /// Key, finding and expectation.
        reason: String,
    },
    /// A setting on the command line that cannot be applied to the recipe.
    #[error("--set {setting}: {reason}")]
    Setting {
        /// The setting as it was typed.
        setting: String,
        /// Key, finding and expectation.
        reason: String,
    },
    /// A run folder that cannot be used.
    #[error("run folder {}: {reason}", path.display())]
    Run {
        /// The folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A checkpoint that cannot be continued.
    #[error("checkpoint {}: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What is damaged or differs, and what to do.
        reason: String,
    },
    /// Weights that fine-tuning cannot start from.
    #[error("cannot start from {}: {reason}", path.display())]
    Init {
        /// The run folder or the file.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
    /// A run that was evaluated on data that it cannot take.
    #[error("cannot evaluate {}: {reason}", path.display())]
    Evaluate {
        /// The run folder.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A run that cannot be reported on with this data.
    #[error("cannot report on {}: {reason}", path.display())]
    Report {
        /// The run folder.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A number that is none, or infinite.
    #[error("step {step}: the {what} is {value}; lower the recipe's lr, or lengthen warmup_steps")]
    NotFinite {
        /// The step, counted from 1.
        step: u64,
        /// Loss, gradient norm, weights or a number of an evaluation.
        what: String,
        /// The value that was found.
        value: f64,
    },
    /// Training that has diverged. The checkpoints since then are removed.
    #[error(
        "step {step}: {what}; training has diverged and is stopped. {}, with a lower lr, a longer warmup_steps or {}",
        last.as_ref().map_or("No checkpoint is from before, so --resume begins anew".to_owned(), |last| {
            format!("{} is from before; --resume goes on from it", last.display())
        }),
        if *is_clipped { "a lower clip_norm" } else { "a clip_norm, as of 1" }
    )]
    Diverged {
        /// The step, counted from 1.
        step: u64,
        /// The number that shows it.
        what: String,
        /// The newest checkpoint from before the loss rose.
        last: Option<PathBuf>,
        /// Whether the recipe has a `clip_norm`.
        is_clipped: bool,
    },
    /// A run that a signal has ended. Its checkpoint is written.
    #[error("{name} after step {step} of {steps}: the checkpoint is written; add --resume to go on with {}", path.display())]
    Interrupted {
        /// Number of the signal.
        signal: i32,
        /// Name of the signal.
        name: &'static str,
        /// Steps that were done.
        step: u64,
        /// Steps of the run.
        steps: u64,
        /// The run folder.
        path: PathBuf,
    },
    /// A table that a signal has ended between two of its cells.
    #[error("{name} after {done} of {cells} cells; the same command goes on with {}", path.display())]
    InterruptedTable {
        /// Number of the signal.
        signal: i32,
        /// Name of the signal.
        name: &'static str,
        /// Cells that are done.
        done: usize,
        /// Cells that were asked for.
        cells: usize,
        /// The table's folder.
        path: PathBuf,
    },
    /// A file of a run that could not be written, as on a full disk.
    #[error(
        "step {step}: {cause}; training is stopped. {}, so make room and start it again with --resume",
        last.as_ref().map_or("There is no checkpoint yet".to_owned(), |last| format!("{} is whole", last.display()))
    )]
    Unwritten {
        /// Steps that were done.
        step: u64,
        /// The newest checkpoint.
        last: Option<PathBuf>,
        /// What could not be written, and why.
        cause: Box<Error>,
    },
    /// Signals that cannot be caught.
    #[error("cannot catch SIGTERM and SIGINT: {source}")]
    Signals {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A Python that does not do what a measurement needs.
    #[error("{}: {reason}", python.display())]
    Peer {
        /// The Python that was started.
        python: PathBuf,
        /// What went wrong and what to do.
        reason: String,
    },
    /// Numbers that a device did not give back.
    #[error("the device did not give back {what}: {reason}")]
    Device {
        /// What was read.
        what: &'static str,
        /// What the device said.
        reason: String,
    },
    /// A mistake in this crate.
    #[error("internal error: {what}; please report it")]
    Internal {
        /// What should not have happened.
        what: String,
    },
    /// A picture that could not be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Plot {
        /// The file.
        path: PathBuf,
        /// What the drawing library said.
        reason: String,
    },
    /// A file that cannot be read or written.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that was read but makes no sense.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
}

impl Error {
    /// The number of the signal that ended the work, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match self {
            Self::Interrupted { signal, .. } | Self::InterruptedTable { signal, .. } => Some(*signal),
            _ => None,
        }
    }

    /// Names the file of a system error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
