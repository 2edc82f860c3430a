//! The layers of a network in their order, by the names of its parameters: what layer-wise learning rates and freezing go by.

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::tensor::Tensor;

/// Parts of a name that make a group in messages, as `resnet.layer1`.
const SHOWN: usize = 2;

/// The trained parameters of a layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    /// As `resnet.layer1.0` or `fc`.
    pub(crate) name: String,
    pub(crate) ids: Vec<ParamId>,
}

/// The layers of a network, those next to the image first. A block of a group is one layer, as is all that stands alone.
pub(crate) fn layers<M: Module>(module: &M) -> Vec<Layer> {
    let mut found = Found::default();
    module.visit(&mut found);
    let mut layers: Vec<Layer> = Vec::new();
    for Parameter { path, id, .. } in found.parameters {
        let name = layer_of(&path);
        match layers.iter_mut().find(|layer| layer.name == name) {
            Some(layer) => layer.ids.push(id),
            None => layers.push(Layer { name, ids: vec![id] }),
        }
    }
    layers
}

/// Numbers of a network that are trained when all that lies under some names is frozen.
pub(crate) fn trained_numbers<M: Module>(module: &M, frozen: &[String]) -> usize {
    let mut found = Found::default();
    module.visit(&mut found);
    found
        .parameters
        .iter()
        .filter(|parameter| !is_under(&parameter.path, frozen))
        .map(|parameter| parameter.count)
        .sum()
}

/// Checks the names of what is to be frozen.
///
/// # Errors
/// A name under which there is nothing, or nothing that is left to train.
pub(crate) fn check_frozen<M: Module>(module: &M, names: &[String]) -> Result<(), String> {
    let mut found = Found::default();
    module.visit(&mut found);
    let has_some = |name: &String| found.parameters.iter().any(|parameter| is_under(&parameter.path, &[name]));
    if let Some(name) = names.iter().find(|name| !has_some(name)) {
        let groups = found.groups().join(", ");
        return Err(format!("freeze names {name:?}, but there is no such group; there are {groups}"));
    }
    match found.parameters.iter().all(|parameter| is_under(&parameter.path, names)) {
        true => Err("freeze names all groups of the network; nothing is left to train".into()),
        false => Ok(()),
    }
}

/// Freezes all that lies under some names: parameters keep their values, batch normalisations normalise by the statistics
/// that they have, dropout is off.
pub(crate) fn freeze<M: Module>(module: M, names: &[String]) -> M {
    if names.is_empty() {
        return module;
    }
    let mut found = Found::default();
    module.visit(&mut found);
    let parameters = found.parameters.into_iter().map(|parameter| (parameter.path, parameter.id));
    let frozen = parameters.chain(found.flags).filter(|(path, _)| is_under(path, names));
    module.freeze_group(ParamGroup::from_ids(frozen.map(|(_, id)| id).collect()))
}

/// Whether a path is one of some names, or below it.
fn is_under<N: AsRef<str>>(path: &str, names: &[N]) -> bool {
    let is_under =
        |name: &N| path.strip_prefix(name.as_ref()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    names.iter().any(is_under)
}

/// `resnet.layer1.0.conv1.weight` to `resnet.layer1.0`, `fc.weight` to `fc`.
fn layer_of(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let is_index = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let length = parts.iter().position(is_index).map_or(parts.len() - 1, |index| index + 1);
    parts[..length.max(1)].join(".")
}

/// Parameters that are trained, and the flags of layers that behave in another way in training, each with its path.
#[derive(Default)]
struct Found {
    path: Vec<String>,
    parameters: Vec<Parameter>,
    flags: Vec<(String, ParamId)>,
}

struct Parameter {
    path: String,
    id: ParamId,
    /// Numbers in it.
    count: usize,
}

impl Found {
    /// What names can begin with, for messages.
    fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for parameter in &self.parameters {
            let parts: Vec<&str> = parameter.path.split('.').collect();
            let group = parts[..SHOWN.min(parts.len() - 1).max(1)].join(".");
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }
}

impl ModuleVisitor for Found {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let is_statistic = self.path.last().is_some_and(|name| name.starts_with("running_"));
        if !is_statistic {
            let count = param.val().shape().num_elements();
            self.parameters.push(Parameter { path: self.path.join("."), id: param.id, count });
        }
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.flags.push((self.path.join("."), flag.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;
    use crate::average::Numbers;
    use crate::optimiser;
    use crate::parameters::number_by_place;
    use burn::optim::GradientsParams;
    use burn::tensor::Device;
    use selfie_models::classifier::{Classifier, ClassifierConfig, HeadConfig};
    use selfie_models::network::{Network, NetworkConfig};
    use selfie_models::resnet::ResNetConfig;

    fn classifier() -> Classifier {
        let resnet = ResNetConfig { channels: 1, width: 2, depths: vec![2, 1, 1], ..Default::default() };
        let config =
            ClassifierConfig { image_size: [8, 8], classes: 3, resnet, head: HeadConfig::FourthGroup { depth: 1 } };
        // From a seed: a change that is next to nothing could be lost in the weight's own rounding.
        let network = NetworkConfig::Classifier(config).init(1, &Device::flex().autodiff());
        let Network::Classifier(classifier) = network else { unreachable!() };
        number_by_place(classifier)
    }

    /// One step on a picture; the change of every parameter and statistic by name.
    fn step(network: &Classifier, recipe: &Recipe) -> Vec<(String, f32)> {
        let names = names(network);
        let before = numbers(&network.valid());
        let device = Device::flex().autodiff();
        let images: Tensor<4> = Tensor::arange(0..512, &device).float().sin().reshape([8, 1, 8, 8]);
        let loss = network.forward(images).logits.square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), network);
        let after = numbers(&optimiser::new(network, recipe).step(0.1, network.clone(), gradients).valid());
        let changes = before.iter().zip(&after).map(|(before, after)| {
            before.iter().zip(after).map(|(before, after)| (before - after).abs()).fold(0.0, f32::max)
        });
        names.into_iter().zip(changes).collect()
    }

    fn numbers(network: &Classifier) -> Vec<Vec<f32>> {
        let mut found = Numbers::default();
        network.visit(&mut found);
        found.0.into_iter().map(|tensor| tensor.into_data().iter().collect()).collect()
    }

    fn names(network: &Classifier) -> Vec<String> {
        struct Names(Vec<String>, Vec<String>);
        impl ModuleVisitor for Names {
            fn enter_module(&mut self, name: &str, _container_type: &str) {
                self.0.push(name.to_owned());
            }
            fn exit_module(&mut self, _name: &str, _container_type: &str) {
                self.0.pop();
            }
            fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
                self.1.push(self.0.join("."));
            }
        }
        let mut names = Names(Vec::new(), Vec::new());
        network.visit(&mut names);
        names.1
    }

    #[test]
    fn layers_come_in_the_order_of_the_network_and_blocks_are_layers() {
        let names: Vec<String> = layers(&classifier()).into_iter().map(|layer| layer.name).collect();
        let resnet = ["conv1", "layer1.0", "layer1.1", "layer2.0", "layer3.0", "layer4.0", "norm"];
        let expected: Vec<String> =
            resnet.iter().map(|name| format!("resnet.{name}")).chain(["fc".to_owned()]).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_frozen_stays_with_its_statistics_and_the_rest_moves() {
        let frozen = ["resnet.layer1", "resnet.conv1"].map(str::to_owned);
        let network = freeze(classifier(), &frozen);
        check_frozen(&network, &frozen).unwrap();
        let count = |names: &[String]| trained_numbers(&network, names);
        assert!(count(&frozen) > 0 && count(&frozen) < count(&[]));
        let mut wrong = Vec::new();
        for (name, change) in step(&network, &Recipe::default()) {
            let should_stay = frozen.iter().any(|group| name.starts_with(group.as_str()));
            if should_stay != (change == 0.0) {
                wrong.push((name, change));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn a_name_without_a_group_and_a_network_without_a_trained_one_are_refused() {
        let refused = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            check_frozen(&classifier(), &names).unwrap_err()
        };
        let message = refused(&["resnet.layer"]);
        assert!(message.contains("\"resnet.layer\"") && message.contains("resnet.layer1, resnet.layer2"), "{message}");
        assert!(refused(&["resnet", "fc"]).contains("nothing is left"));
    }

    #[test]
    fn the_change_of_a_layer_shrinks_with_its_distance_from_the_output() {
        let (network, plain) = (classifier(), Recipe { weight_decay: 0.0, ..Recipe::default() });
        let decayed = Recipe { layer_decay: 0.5, ..plain.clone() };
        let layers = layers(&network);
        for ((name, plain), (_, decayed)) in step(&network, &plain).into_iter().zip(step(&network, &decayed)) {
            let Some(place) = layers.iter().position(|layer| name.starts_with(&format!("{}.", layer.name))) else {
                continue;
            };
            if name.contains("running") || plain == 0.0 {
                continue;
            }
            let expected = 0.5_f32.powi((layers.len() - 1 - place) as i32);
            assert!((decayed / plain - expected).abs() < 0.02 * expected, "{name}: {}", decayed / plain);
        }
    }
}
