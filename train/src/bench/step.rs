//! One training step: forward, backward and the optimiser's update.

use super::Place;
use crate::parameters::number_by_place;
use crate::{Error, Recipe, engine, optimiser};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Distribution, Tensor};
use selfie_models::resnet::{ResNet, ResNetConfig};
use std::time::Instant;

/// A step that is measured: groups of ResNet-50, pre-activation, with the stem for 32x32 images.
#[derive(Debug)]
pub struct Subject {
    /// Name in tables.
    pub name: &'static str,
    /// What goes through the network.
    pub what: &'static str,
    /// Blocks of each group.
    pub depths: &'static [usize],
    /// Images of the batch.
    pub images: usize,
    /// Height and width of an image in pixels.
    pub side: usize,
    /// Images or patches that make one image of the data set.
    pub patches: usize,
}

/// What two cores can do: the first three groups.
pub const CPU_SUBJECTS: &[Subject] = &[
    Subject { name: "resnet", what: "16 images of 32x32", depths: &[3, 4, 6], images: 16, side: 32, patches: 1 },
    Subject {
        name: "patches",
        what: "16 patches of 8x8 of each of 64 images",
        depths: &[3, 4, 6],
        images: 1024,
        side: 8,
        patches: 16,
    },
];

/// What a GPU can do: the classifier with all four groups and the paper's patch network, at the paper's batch.
pub const GPU_SUBJECTS: &[Subject] = &[
    Subject { name: "resnet50", what: "512 images of 32x32", depths: &[3, 4, 6, 3], images: 512, side: 32, patches: 1 },
    Subject {
        name: "patches",
        what: "16 patches of 8x8 of each of 512 images",
        depths: &[3, 4, 6],
        images: 8192,
        side: 8,
        patches: 16,
    },
];

/// Learning rate of the steps: small, so that nothing grows.
const LR: f64 = 1e-3;

/// A network between two steps.
pub struct Step {
    network: Option<ResNet>,
    optimiser: ModuleOptimizer,
    images: Tensor<4>,
}

impl Step {
    /// Fresh weights and random images.
    pub fn new(subject: &Subject, place: &Place) -> Self {
        let device = place.device.clone().autodiff();
        let config = ResNetConfig { depths: subject.depths.to_vec(), ..ResNetConfig::default() };
        let network = number_by_place(config.init(&device));
        let shape = [subject.images, 3, subject.side, subject.side];
        let images = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device);
        Self { optimiser: optimiser::new(&network, &Recipe::default()), network: Some(network), images }
    }

    /// Seconds of a step that makes the mean square of the feature map smaller.
    ///
    /// # Errors
    /// [`Error::Internal`] when a step before this one failed.
    pub fn run(&mut self) -> Result<f64, Error> {
        let Some(network) = self.network.take() else {
            return Err(Error::Internal { what: "the step before this one failed".into() });
        };
        let start = Instant::now();
        let features = network.forward(self.images.clone());
        let loss = features.clone().mul(features).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = Some(self.optimiser.step(LR, network, gradients));
        engine::numbers(vec![loss.inner()])?;
        Ok(start.elapsed().as_secs_f64())
    }
}
