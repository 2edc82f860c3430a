//! Weights on their way to the capture device.

use burn::module::{ModuleMapper, Param};
use burn::tensor::kind::Basic;
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

use crate::DynTensor;

/// Puts weights on a capture device in one copy.
///
/// At the end of a scope Burn's capture gives a clone of all values and keeps its own for tensors that are still alive.
/// That would be a second copy of the weights, if their bytes were not counted references.
pub(super) struct Carry<'d> {
    device: &'d Device,
    path: Vec<String>,
    /// The weight that is quantised, if one is: its numbers mean nothing to a capture device.
    pub quantised: Option<String>,
}

impl ModuleMapper for Carry<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| self.carry(tensor))
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        param.map(|tensor| self.carry(tensor))
    }

    fn map_bool<const D: usize>(&mut self, param: Param<Tensor<D, Bool>>) -> Param<Tensor<D, Bool>> {
        param.map(|tensor| self.carry(tensor))
    }
}

impl<'d> Carry<'d> {
    pub fn to(device: &'d Device) -> Self {
        Self { device, path: vec![], quantised: None }
    }

    /// The tensor on the capture device; where it is if it cannot be read, so that whoever moves it then says why.
    fn carry<const D: usize, K: Basic>(&mut self, tensor: Tensor<D, K>) -> Tensor<D, K> {
        if matches!(tensor.dtype(), DType::QFloat(_)) {
            self.quantised.get_or_insert_with(|| self.path.join("."));
            return tensor;
        }
        let data = DynTensor::from(tensor.clone()).into_data();
        let carried =
            data.and_then(|data| DynTensor::from_data(shared(data), self.device)).and_then(|it| it.typed("a weight"));
        carried.unwrap_or(tensor)
    }
}

fn shared(data: TensorData) -> TensorData {
    let (bytes, shape, dtype) = data.into_parts();
    TensorData::from_bytes(bytes.shared(), shape, dtype)
}
