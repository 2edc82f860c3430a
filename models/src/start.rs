//! A classifier that begins with the weights of a file: of a pretrained network, of a classifier, ours or torchvision's, or
//! of a ResNet alone.

use crate::Error;
use crate::classifier::Classifier;
use crate::foreign::ForeignWeights;
use crate::import::{ANCHOR, depths};
use std::path::Path;

/// Where networks of this crate have their ResNet.
const PARTS: [&str; 2] = ["patch_network.", "resnet."];
/// What no classifier takes over: scores of other classes, and what only the pretext needs.
const LEFT: [&str; 3] = ["fc.", "positions.", "patch_norm."];

impl Classifier {
    /// This network with the stem and the first three groups of a file, and with its fourth group or its attention pooling
    /// where both have one. The linear layer stays.
    ///
    /// A file does not say the stride of the stem, nor how many heads a pooling has; the caller answers for these.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Damaged`] when the file cannot be read, [`Error::Weights`] with the tensors that do not fit.
    pub fn start_from_file(self, path: &Path) -> Result<Self, Error> {
        let weights = ForeignWeights::open(path, ANCHOR, &PARTS)?;
        let has = |part: &str| weights.names().any(|name| name.starts_with(part));
        let [fourth, pooling] = ["layer4.", "pooling."].map(has);
        let (own_fourth, own_pooling) = (self.pooling.is_none(), self.pooling.is_some());
        let mut except = LEFT.to_vec();
        if !(fourth && own_fourth) {
            except.push("layer4.");
        }
        // The last normalisation is as wide as the last group.
        if fourth != own_fourth {
            except.push("norm.");
        }
        if !(pooling && own_pooling) {
            except.extend(["pooling.", "projection."]);
        }
        let advice = advice(&weights);
        weights.load(self, "resnet", &except, &advice)
    }
}

/// What the network of the recipe must be for the file.
fn advice(weights: &ForeignWeights) -> String {
    // Only blocks that normalise after their convolutions have a normalisation behind the stem.
    let block = if weights.names().any(|name| name.starts_with("bn1.")) { "post-activation" } else { "pre-activation" };
    let depths: Vec<usize> = depths(weights).into_iter().filter(|depth| *depth > 0).collect();
    let stem = match weights.shape("conv1.weight") {
        Ok([width, channels, height, _]) => {
            format!("width {width}, {channels} channels, a stem of {height}x{height}, ")
        }
        Err(_) => String::new(),
    };
    format!(
        "The file holds a ResNet with {stem}groups of {depths:?} {block} blocks; the network to train must be the same"
    )
}

#[cfg(test)]
#[path = "start_tests.rs"]
mod tests;
