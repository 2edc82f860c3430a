//! What can go wrong with networks and cards.

use std::path::PathBuf;

/// What went wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model card that cannot be used.
    #[error("the model card is wrong: {reason}")]
    Card {
        /// Field, expectation and finding.
        reason: String,
    },
    /// A golden sample that a runtime does not reproduce.
    #[error("golden sample: output \"{output}\": {reason}")]
    Golden {
        /// Name of the graph's output.
        output: String,
        /// What differs.
        reason: String,
    },
    /// A model file that is not what it was when it was written.
    #[error(
        "the file has changed since it was written: its digest ({}) does not fit its bytes; copy or export it again",
        crate::digest::DIGEST_KEY
    )]
    Digest {
        /// The digest in the file's metadata.
        stated: String,
    },
    /// Weights beside a model file that are not those it was written with.
    #[error(
        "{} does not hold the weights that the model was written with: their digest ({}) does not fit; copy or export both \
         files again",
        path.display(),
        crate::digest::DATA_DIGEST_KEY
    )]
    DataDigest {
        /// The file of the weights.
        path: PathBuf,
    },
    /// A card beside a model file that is not the one which the model file holds and its digest covers.
    #[error(
        "{} beside it would replace the card that its digest ({}) covers; remove one of the two, or move the model to a \
         folder of its own",
        path.display(),
        crate::digest::DIGEST_KEY
    )]
    OtherCard {
        /// The card beside the model file.
        path: PathBuf,
    },
    /// A network configuration that makes no network.
    #[error("network configuration: {reason}")]
    Config {
        /// Field, expectation and finding.
        reason: String,
    },
    /// A device name that is unknown or not built in.
    #[error("device \"{name}\": {reason}")]
    Device {
        /// What was asked for.
        name: String,
        /// Why it is not to be had and what to do.
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
    /// A folder that was to be new.
    #[error("{} is not empty; name a new folder, or empty it", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Weights that do not belong to the network.
    #[error("{}: the weights do not fit the network: {reason}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// Missing and left-over tensors or shapes.
        reason: String,
    },
}
