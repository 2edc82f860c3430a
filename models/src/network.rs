//! Any network of this crate by its configuration.

use crate::Error;
use crate::card::{Embedding, Logits, Outputs};
use crate::classifier::{Classifier, ClassifierConfig};
use crate::resnet::ResNetConfig;
use crate::seeded::seeded;
use crate::selfie::{Selfie, SelfieConfig};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Configuration of a [`Network`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum NetworkConfig {
    /// A pretraining network.
    Selfie(SelfieConfig),
    /// A fine-tuned network.
    Classifier(ClassifierConfig),
}

/// A network of this crate.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a program holds one or two networks, never a list of them")]
pub enum Network {
    /// A pretraining network.
    Selfie(Selfie),
    /// A fine-tuned network.
    Classifier(Classifier),
}

impl NetworkConfig {
    /// Height and width of the image in pixels.
    pub fn image_size(&self) -> [usize; 2] {
        match self {
            Self::Selfie(config) => config.image_size,
            Self::Classifier(config) => config.image_size,
        }
    }

    /// The first three groups.
    pub fn resnet(&self) -> &ResNetConfig {
        match self {
            Self::Selfie(config) => &config.resnet,
            Self::Classifier(config) => &config.resnet,
        }
    }

    /// Names and lengths of the outputs of an exported network.
    pub fn outputs(&self) -> Vec<(&'static str, usize)> {
        match self {
            Self::Selfie(config) => vec![("embedding", config.embedding_width())],
            Self::Classifier(config) => vec![("embedding", config.embedding_width()), ("logits", config.classes)],
        }
    }

    /// The same as a card says it, with the names of the classes where there are some.
    pub fn card_outputs(&self, labels: Vec<String>) -> Outputs {
        let mut outputs = Outputs::default();
        for (name, width) in self.outputs() {
            match name {
                "logits" => outputs.logits = Some(Logits { name: name.into(), labels: labels.clone() }),
                _ => outputs.embedding = Some(Embedding { name: name.into(), width }),
            }
        }
        outputs
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`Error::Config`] names the field.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Selfie(config) => config.check(),
            Self::Classifier(config) => config.check(),
        }
    }

    /// Makes the network with weights from a seed.
    pub fn init(&self, seed: u64, device: &Device) -> Network {
        seeded(device, seed, || {
            let network = match self {
                Self::Selfie(config) => Network::Selfie(config.init(device)),
                Self::Classifier(config) => Network::Classifier(config.init(device)),
            };
            // Burn draws a parameter when it is first read; reading all of them here, in order, makes the seed decide.
            match &network {
                Network::Selfie(selfie) => selfie.visit(&mut Draw),
                Network::Classifier(classifier) => classifier.visit(&mut Draw),
            }
            network
        })
    }
}

impl Network {
    /// The vector of every image.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, embedding_width]`
    pub fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Selfie(selfie) => selfie.embed(images),
            Self::Classifier(classifier) => classifier.forward(images).embedding,
        }
    }

    /// The outputs of an exported network, in the order of [`NetworkConfig::outputs`].
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, length]` each
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<2>> {
        match self {
            Self::Selfie(selfie) => vec![selfie.embed(images)],
            Self::Classifier(classifier) => {
                let output = classifier.forward(images);
                vec![output.embedding, output.logits]
            }
        }
    }

    /// Number of weights, running statistics included.
    pub fn num_params(&self) -> usize {
        match self {
            Self::Selfie(selfie) => selfie.num_params(),
            Self::Classifier(classifier) => classifier.num_params(),
        }
    }
}

/// Reads every parameter, which makes Burn draw it.
struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        drop(param.val());
    }
}
