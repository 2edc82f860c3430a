//! Names of parameters by module path.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};
use burn_ir::TensorId;

use crate::DynTensor;

/// The module path of every parameter and buffer, such as `layer1.0.conv1.weight`.
pub(super) fn parameter_names<M: Module>(module: &M) -> BTreeMap<TensorId, String> {
    let mut names = Names::default();
    module.visit(&mut names);
    names.found
}

#[derive(Default)]
struct Names {
    path: Vec<String>,
    found: BTreeMap<TensorId, String>,
}

impl Names {
    fn name(&mut self, tensor: DynTensor) {
        if let Ok(id) = tensor.capture_id() {
            self.found.entry(id).or_insert_with(|| self.path.join("."));
        }
    }
}

impl ModuleVisitor for Names {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.name(DynTensor::from(param.val()));
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.name(DynTensor::from(param.val()));
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.name(DynTensor::from(param.val()));
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
