//! Weights in a file of their own, for other programs: a whole network, or its ResNet alone.

use crate::Error;
use crate::network::Network;
use crate::saved::save_weights;
use burn::module::Module;
use burn_store::{BurnpackStore, ModuleSnapshot};
use std::path::Path;

/// What of a network is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The ResNet, with the names that it has on its own (`conv1.weight`): the patch network P of a pretrained network, all
    /// groups of a fine-tuned one.
    Backbone,
}

/// Writes weights to a file that ends with `.safetensors`, with PyTorch's names and layout, or `.bpk`, with Burn's.
///
/// # Errors
/// [`Error::Damaged`] names the file when it cannot be written or ends otherwise.
pub fn write(network: &Network, part: Part, path: &Path) -> Result<(), Error> {
    match (network, part) {
        (Network::Selfie(selfie), Part::Whole) => write_module(selfie, path),
        (Network::Selfie(selfie), Part::Backbone) => write_module(&selfie.patch_network, path),
        (Network::Classifier(classifier), Part::Whole) => write_module(classifier, path),
        (Network::Classifier(classifier), Part::Backbone) => write_module(&classifier.resnet, path),
    }
}

fn write_module<M: Module>(module: &M, path: &Path) -> Result<(), Error> {
    let wrong = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => save_weights(module, path),
        Some("bpk") => module
            .save_into(&mut BurnpackStore::from_file(path).overwrite(true))
            .map_err(|error| wrong(format!("cannot write the weights: {error}"))),
        _ => Err(wrong("its name ends with neither .safetensors nor .bpk".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::{ClassifierConfig, HeadConfig};
    use crate::network::NetworkConfig;
    use crate::resnet::{ResNet, ResNetConfig};
    use crate::saved::load_weights;
    use crate::selfie::{Selfie, SelfieConfig};
    use burn::tensor::{Device, Distribution, Tensor};

    fn config() -> SelfieConfig {
        let mut config = SelfieConfig::default();
        (config.resnet.width, config.resnet.depths, config.pooling.heads) = (2, vec![1, 1, 1], 2);
        config
    }

    fn burnpack<M: Module>(mut module: M, path: &Path) -> M {
        module.load_from(&mut BurnpackStore::from_file(path)).unwrap();
        module
    }

    #[test]
    fn a_backbone_alone_and_a_network_come_back_from_either_kind_of_file() {
        let (folder, device) = (tempfile::tempdir().unwrap(), Device::flex());
        let config = config();
        let network = NetworkConfig::Selfie(config.clone()).init(7, &device);
        let images: Tensor<4> = Tensor::random([2, 3, 32, 32], Distribution::Default, &device);
        let Network::Selfie(selfie) = &network else { unreachable!() };
        let (vectors, embedding) = (selfie.patch_network.forward_vector(images.clone()), selfie.embed(images.clone()));
        let files = ["a.safetensors", "a.bpk"].map(|name| folder.path().join(name));
        for file in &files {
            write(&network, Part::Backbone, file).unwrap();
        }
        let fresh = || config.resnet.init(&device);
        let read: [ResNet; 2] = [load_weights(fresh(), &files[0]).unwrap(), burnpack(fresh(), &files[1])];
        for (backbone, file) in read.iter().zip(&files) {
            let found = backbone.forward_vector(images.clone());
            assert_eq!(found.into_data(), vectors.clone().into_data(), "{}", file.display());
        }
        for file in &files {
            write(&network, Part::Whole, file).unwrap();
        }
        let fresh = || config.init(&device);
        let read: [Selfie; 2] = [load_weights(fresh(), &files[0]).unwrap(), burnpack(fresh(), &files[1])];
        for (selfie, file) in read.iter().zip(&files) {
            assert_eq!(selfie.embed(images.clone()).into_data(), embedding.clone().into_data(), "{}", file.display());
        }
    }

    #[test]
    fn the_backbone_of_a_classifier_has_four_groups_and_no_other_ending_is_written() {
        let (folder, device) = (tempfile::tempdir().unwrap(), Device::flex());
        let resnet = ResNetConfig { width: 2, depths: vec![1, 1, 1], ..Default::default() };
        let head = HeadConfig::FourthGroup { depth: 1 };
        let config = ClassifierConfig { image_size: [32, 32], classes: 3, resnet: resnet.clone(), head };
        let network = NetworkConfig::Classifier(config).init(7, &device);
        let file = folder.path().join("a.safetensors");
        write(&network, Part::Backbone, &file).unwrap();
        assert!(load_weights(resnet.with_group(1).init(&device), &file).is_ok());
        let message = write(&network, Part::Backbone, &folder.path().join("a.pth")).unwrap_err().to_string();
        assert!(message.contains("a.pth: its name ends with neither"), "{message}");
    }
}
