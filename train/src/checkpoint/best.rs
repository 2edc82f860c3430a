//! The network of the best step so far: `best-00000800` beside the checkpoints.
//!
//! A run that is killed between two checkpoints may have found a better step than the checkpoint knows, so that the
//! folder of an earlier best step goes only when a checkpoint knows the later one.

use super::{AVERAGE_FILE, WEIGHTS_FILE, folder};
use crate::Error;
use burn::module::Module;
use selfie_models::saved::{load_weights, save_weights};
use std::path::Path;

const PREFIX: &str = "best-";

/// Writes a network that is in evaluation mode, and its average.
pub(crate) fn save<M: Module>(parent: &Path, step: u64, network: &M, average: Option<&M>) -> Result<(), Error> {
    folder::write(parent, &name(step), |folder| {
        let networks = [(WEIGHTS_FILE, Some(network)), (AVERAGE_FILE, average)];
        for (file, network) in networks {
            if let Some(network) = network {
                save_weights(network, &folder.join(file))?;
                folder::sync(&folder.join(file))?;
            }
        }
        Ok(())
    })
}

/// Gives a network, and its average where there is one, what they were at a step.
pub(crate) fn load<M: Module>(
    parent: &Path,
    step: u64,
    network: M,
    average: Option<M>,
) -> Result<(M, Option<M>), Error> {
    let folder = parent.join(name(step));
    let average = average.map(|average| load_weights(average, &folder.join(AVERAGE_FILE))).transpose()?;
    Ok((load_weights(network, &folder.join(WEIGHTS_FILE))?, average))
}

/// Whether the network of a step is there.
pub(crate) fn exists(parent: &Path, step: u64) -> bool {
    parent.join(name(step)).exists()
}

/// Removes the networks of all other steps.
pub(super) fn prune(parent: &Path, keep: Option<u64>) -> Result<(), Error> {
    for (step, folder) in folder::list(parent, PREFIX)? {
        if Some(step) != keep {
            folder::remove(&folder)?;
        }
    }
    Ok(())
}

fn name(step: u64) -> String {
    format!("{PREFIX}{step:08}")
}
