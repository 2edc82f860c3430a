//! The parameters of a network by place: stable numbers, and which of them weight decay spares.

use crate::Error;
use crate::engine::numbers;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// Numbers the parameters of a module by their place in it.
///
/// Burn numbers parameters at random and keeps optimiser state by that number; numbers by place make the state of one
/// process fit the network of another.
pub(crate) fn number_by_place<M: Module>(module: M) -> M {
    module.map(&mut Numbering(0))
}

struct Numbering(u64);

impl ModuleMapper for Numbering {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (_, tensor, mapper) = param.consume();
        self.0 += 1;
        Param::from_mapped_value(ParamId::from(self.0), tensor, mapper)
    }
}

/// Whether every number of a module is finite.
pub(crate) fn are_finite<M: Module>(module: &M) -> Result<bool, Error> {
    let mut zeros = Zeros::default();
    module.visit(&mut zeros);
    Ok(numbers(zeros.0)?.into_iter().all(|zero| zero == 0.0))
}

/// The sum of zero times every number of a parameter: not a number, where one of them is not finite.
#[derive(Default)]
struct Zeros(Vec<Tensor<1>>);

impl ModuleVisitor for Zeros {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().inner().mul_scalar(0.0).sum());
    }
}

/// The trained parameters that weight decay spares: all that are not the weight matrix or kernel of a layer.
///
/// These are the scales and shifts of batch and layer normalisation, biases, position embeddings and u_0.
pub(crate) fn spared_by_decay<M: Module>(module: &M) -> Vec<ParamId> {
    let mut spared = Spared { path: Vec::new(), ids: Vec::new() };
    module.visit(&mut spared);
    spared.ids
}

struct Spared {
    path: Vec<String>,
    ids: Vec<ParamId>,
}

impl ModuleVisitor for Spared {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let is_weight = D > 1 && self.path.last().is_some_and(|name| name == "weight");
        if !is_weight {
            self.ids.push(param.id);
        }
    }
}
