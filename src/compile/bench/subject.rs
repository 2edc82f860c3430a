//! The networks that are measured.

use anyhow::Context;
use burn::tensor::Device;
use selfie_models::classifier::{Classifier, ClassifierConfig, HeadConfig};
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::resnet::{BlockKind, ResNetConfig, Stem};
use selfie_models::saved::{load_weights, save_weights};
use std::path::Path;

/// A network that both compilers export.
#[derive(Debug)]
pub struct Subject {
    /// Name in tables, and the one that the Python script knows it by.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Height and width of an image.
    pub side: usize,
    config: fn() -> ClassifierConfig,
}

/// The networks that are measured.
pub const SUBJECTS: &[Subject] = &[
    Subject {
        name: "resnet50",
        what: "ResNet-50 as torchvision has it, 224x224, 1000 classes",
        side: 224,
        config: resnet,
    },
    Subject {
        name: "selfie",
        what: "the attention-pooled classifier of the paper, 32x32, 10 classes",
        side: 32,
        config: selfie,
    },
];

fn resnet() -> ClassifierConfig {
    ClassifierConfig {
        image_size: [224, 224],
        classes: 1000,
        resnet: ResNetConfig { stem: Stem::Large, block: BlockKind::PostActivation, ..Default::default() },
        head: HeadConfig::FourthGroup { depth: 3 },
    }
}

fn selfie() -> ClassifierConfig {
    ClassifierConfig {
        image_size: [32, 32],
        classes: 10,
        resnet: ResNetConfig::default(),
        head: HeadConfig::AttentionPooling(Default::default()),
    }
}

impl Subject {
    /// The network of this name.
    pub fn named(name: &str) -> anyhow::Result<&'static Self> {
        let known = || SUBJECTS.iter().map(|subject| subject.name).collect::<Vec<_>>().join(", ");
        let found = SUBJECTS.iter().find(|subject| subject.name == name);
        found.with_context(|| format!("no network is called {name:?}; there are {}", known()))
    }

    /// Writes drawn weights, which both compilers then export.
    pub fn write_weights(&self, path: &Path) -> anyhow::Result<()> {
        let Network::Classifier(network) = NetworkConfig::Classifier((self.config)()).init(0, &Device::flex()) else {
            anyhow::bail!("the configuration of {} is not that of a classifier", self.name);
        };
        Ok(save_weights(&network, path)?)
    }

    /// The network with the weights of a file.
    pub fn read(&self, weights: &Path, device: &Device) -> anyhow::Result<Classifier> {
        Ok(load_weights((self.config)().init(device), weights)?)
    }
}
