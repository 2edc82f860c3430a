//! A device and how batches go through a network there.

use super::{Scores, Task};
use crate::data::{Batch, Dataset};
use crate::recipe::Precision;
use crate::running::cleared;
use crate::seeds::{self, Purpose};
use crate::{Recipe, running};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use selfie_models::seeded::seeded;

/// A device and how batches go through a network there.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// With automatic differentiation.
    pub(crate) device: Device,
    /// Channels, height and width of an image.
    image: [usize; 3],
    seed: u64,
    precision: Precision,
}

impl Lane {
    /// A lane in 32 bits.
    pub(crate) fn new(recipe: &Recipe, device: &Device, dataset: &Dataset) -> Self {
        let image = [dataset.channels, dataset.height, dataset.width];
        Self { device: device.clone(), image, seed: recipe.seed, precision: Precision::F32 }
    }

    /// The lane in the numbers of a recipe.
    pub(super) fn in_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Loss and accuracy of a batch, with random choices of its own.
    pub(super) fn score<T: Task>(&self, task: &T, network: &T::Network, mut batch: Batch, draw: u64) -> Scores {
        let [channels, height, width] = self.image;
        let shape = [batch.labels.len(), channels, height, width];
        let pixels = TensorData::new(std::mem::take(&mut batch.images), shape);
        let images = Tensor::<4>::from_data(pixels, &self.device).cast(self.precision.dtype());
        let seed = seeds::number(self.seed, Purpose::Dropout, draw);
        seeded(&self.device, seed, || task.score(network, images, &batch, draw))
    }

    /// A copy of a network for this device, in its numbers, with gradients and statistics of its own: those begin at 0.
    pub(super) fn copy<M: Module>(&self, network: &M) -> M {
        // Statistics are shared by clones, so that Burn's `fork` alone would move and change those of the network itself;
        // `valid` gives them a place of their own.
        let mut copy = network.valid();
        if self.precision != Precision::F32 {
            copy = copy.map(&mut Narrowing { precision: self.precision, containers: Vec::new() });
        }
        cleared(copy.fork(&self.device.clone().inner()).train())
    }
}

/// Gives parameters fewer bits, all but those of batch normalisations.
struct Narrowing {
    precision: Precision,
    containers: Vec<String>,
}

impl ModuleMapper for Narrowing {
    fn enter_module(&mut self, _name: &str, container_type: &str) {
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.containers.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.containers.last().is_some_and(|container| container == "Struct:BatchNorm") {
            return param;
        }
        param.map(|tensor| tensor.cast(self.precision.dtype()))
    }
}

/// Lets the statistics of a network follow those of the parts of a batch, one after the other, as if the parts had gone
/// through the network itself. `parts` are the statistics of its cleared copies.
pub(super) fn follow<M: Module>(network: M, parts: &[Vec<Tensor<1>>]) -> M {
    let keep = 1.0 - running::momentum();
    running::changed(network, |statistic, place| {
        parts.iter().fold(statistic, |statistic, part| {
            let of_part = part[place].clone().to_device(&statistic.device());
            statistic.mul_scalar(keep).add(of_part)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::batch::tests::tiny;
    use crate::layers::freeze;
    use crate::parameters::number_by_place;
    use burn::module::ModuleVisitor;
    use burn::tensor::DType;
    use selfie_models::classifier::{Classifier, ClassifierConfig, HeadConfig};
    use selfie_models::network::{Network, NetworkConfig};
    use selfie_models::pooling::PoolingConfig;
    use selfie_models::resnet::ResNetConfig;
    use std::collections::BTreeMap;

    fn classifier(device: &Device) -> Classifier {
        let resnet = ResNetConfig { channels: 1, width: 2, depths: vec![1, 1, 1], ..ResNetConfig::default() };
        let pooling = PoolingConfig { layers: 1, heads: 2, dropout: 0.0, ..PoolingConfig::default() };
        let head = HeadConfig::AttentionPooling(pooling);
        let config = ClassifierConfig { image_size: [8, 8], classes: 3, resnet, head };
        let Network::Classifier(network) = NetworkConfig::Classifier(config).init(1, device) else {
            panic!("it is one")
        };
        number_by_place(network)
    }

    /// Type, number and trainability of every parameter by its name.
    #[derive(Default)]
    struct Seen(Vec<String>, BTreeMap<String, (DType, u64, bool)>);

    impl ModuleVisitor for Seen {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.0.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.0.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.insert(self.0.join("."), (param.val().dtype(), param.id.val(), param.is_require_grad()));
        }
    }

    fn seen(network: &Classifier) -> BTreeMap<String, (DType, u64, bool)> {
        let mut seen = Seen::default();
        network.visit(&mut seen);
        seen.1
    }

    #[test]
    fn a_copy_has_fewer_bits_but_for_batch_norms_and_leaves_the_network_alone() {
        let device = Device::flex().autodiff();
        let network = freeze(classifier(&device), &["resnet.conv1".to_owned()]);
        drop(network.forward(Tensor::ones([4, 1, 8, 8], &device)));
        let before = seen(&network);
        let running = |network: &Classifier| -> Vec<Vec<f32>> {
            running::statistics(network).into_iter().map(|statistic| statistic.into_data().iter().collect()).collect()
        };
        let of_network = running(&network);
        let lane = Lane::new(&Recipe::default(), &device, &tiny(4)).in_precision(Precision::Bf16);
        let copy = lane.copy(&network);
        for (name, (dtype, number, is_trained)) in seen(&copy) {
            let is_batch_norm = name.contains(".bn") || name.contains("resnet.norm");
            assert_eq!(dtype, if is_batch_norm { DType::F32 } else { DType::BF16 }, "{name}");
            assert_eq!((number, is_trained), (before[&name].1, before[&name].2), "{name}");
        }
        assert!(running(&copy).iter().flatten().all(|number| *number == 0.0));
        drop(copy.forward(Tensor::<4>::ones([4, 1, 8, 8], &device).cast(Precision::Bf16.dtype())));
        assert_eq!(running(&network), of_network);
        assert_eq!(seen(&network), before);
        assert!(!before["resnet.conv1.weight"].2 && before["fc.weight"].2);
    }
}
