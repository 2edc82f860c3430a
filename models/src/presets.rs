//! Networks by name.

use crate::Error;
use crate::resnet::{BlockKind, ResNetConfig, Stem};

/// The names that [`resnet`] knows: the first three groups and the depth of the fourth.
pub const RESNETS: &[(&str, [usize; 3], usize)] = &[
    ("tiny", [1, 1, 1], 1),
    ("resnet26", [2, 2, 2], 2),
    ("resnet50", [3, 4, 6], 3),
    ("resnet101", [3, 4, 23], 3),
    ("resnet152", [3, 8, 36], 3),
];

/// The names as a list for people.
pub(crate) fn names() -> String {
    RESNETS.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
}

/// The first three groups of a preset and the depth of its fourth group.
///
/// `tiny` is 8 wide, the others 64.
///
/// # Errors
/// [`Error::Config`] names the presets there are.
pub fn resnet(name: &str, channels: usize, stem: Stem) -> Result<(ResNetConfig, usize), Error> {
    let Some((_, depths, fourth)) = RESNETS.iter().find(|(preset, ..)| *preset == name) else {
        return Err(Error::Config { reason: format!("there is no preset {name:?}; there are {}", names()) });
    };
    let width = if name == "tiny" { 8 } else { 64 };
    let block = BlockKind::PreActivation;
    Ok((ResNetConfig { channels, stem, block, width, depths: depths.to_vec() }, *fourth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::{ClassifierConfig, HeadConfig};
    use burn::module::Module;
    use burn::tensor::Device;

    #[test]
    fn resnet_50_has_torchvision_s_number_of_parameters() {
        let (mut resnet, depth) = resnet("resnet50", 3, Stem::Large).unwrap();
        resnet.block = BlockKind::PostActivation;
        let head = HeadConfig::FourthGroup { depth };
        let config = ClassifierConfig { image_size: [224, 224], classes: 1000, resnet, head };
        // torchvision's 25,557,032 trainable parameters and 26,560 running means and as many variances.
        assert_eq!(config.init(&Device::flex()).num_params(), 25_557_032 + 2 * 26_560);
    }

    #[test]
    fn an_unknown_preset_names_the_known_ones() {
        let message = resnet("resnet51", 3, Stem::Small).unwrap_err().to_string();
        assert!(message.contains("resnet50") && message.contains("tiny"), "{message}");
    }
}
