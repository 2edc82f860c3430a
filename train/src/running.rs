//! The running statistics of batch normalisations in training, read and replaced.

use crate::average::Numbers;
use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::BatchNormConfig;
use burn::tensor::Tensor;

/// The part of a batch in the statistics after it. All networks have Burn's.
pub(crate) fn momentum() -> f64 {
    BatchNormConfig::new(1).momentum
}

/// The statistics of a module, flattened; frozen ones are left out.
pub(crate) fn statistics<M: Module>(module: &M) -> Vec<Tensor<1>> {
    // Burn's batch norm holds its latest statistics back until they are asked for; `valid` asks.
    drop(module.valid());
    let mut found = Found::default();
    module.visit(&mut found);
    found.statistics.0
}

/// Replaces every statistic; `change` gets it, flattened, and its place among [`statistics`].
pub(crate) fn changed<M: Module>(module: M, change: impl FnMut(Tensor<1>, usize) -> Tensor<1>) -> M {
    drop(module.valid());
    module.map(&mut Statistics { place: Place::default(), count: 0, change })
}

/// Lets every statistic begin at 0. From there one batch moves it by [`momentum`] times its own.
pub(crate) fn cleared<M: Module>(module: M) -> M {
    changed(module, |statistic, _| statistic.zeros_like())
}

/// Follows the fields of a module to tell the statistics of batch normalisations in training from all else.
#[derive(Default)]
struct Place {
    path: Vec<String>,
    /// Whether the latest layer with such a flag is in training; it comes before the layer's statistics.
    is_training: bool,
}

impl Place {
    fn is_statistic(&self) -> bool {
        self.is_training && self.path.last().is_some_and(|name| name.starts_with("running_"))
    }
}

#[derive(Default)]
struct Found {
    place: Place,
    statistics: Numbers,
}

impl ModuleVisitor for Found {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.path.pop();
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.place.is_training = flag.is_enabled();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.place.is_statistic() {
            self.statistics.visit_float(param);
        }
    }
}

/// Replaces every statistic; `change` gets it and its number.
struct Statistics<F> {
    place: Place,
    count: usize,
    change: F,
}

impl<F: FnMut(Tensor<1>, usize) -> Tensor<1>> ModuleMapper for Statistics<F> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.path.pop();
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.place.is_training = flag.is_enabled();
        flag
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.place.is_statistic() {
            return param;
        }
        let number = self.count;
        self.count += 1;
        param.map(|tensor| {
            let shape = tensor.shape();
            let count = shape.num_elements();
            (self.change)(tensor.reshape([count]), number).reshape(shape)
        })
    }
}
