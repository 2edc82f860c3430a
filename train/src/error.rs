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
    /// A pretrained run that fine-tuning cannot start from.
    #[error("cannot start from {}: {reason}", path.display())]
    Init {
        /// The run folder.
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
    /// Training that has diverged. The last checkpoint is untouched.
    #[error(
        "step {step}: the {what} is {value}; training has diverged and is stopped. The last checkpoint is untouched; \
         lower the recipe's lr or clip_norm, or lengthen warmup_steps"
    )]
    NotFinite {
        /// The step, counted from 1.
        step: u64,
        /// Loss or gradient norm.
        what: &'static str,
        /// The value that was found.
        value: f64,
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
    /// Names the file of a system error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
