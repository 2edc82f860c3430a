//! Weights on their way to the capture device.

use burn::module::{ModuleMapper, Param};
use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::DynTensor;

/// Puts weights on a capture device in one copy.
///
/// At the end of a scope Burn's capture gives a clone of all values and keeps its own for tensors that are still alive.
/// That would be a second copy of the weights, if their bytes were not counted references.
pub(super) struct Carry<'d>(pub &'d Device);

impl ModuleMapper for Carry<'_> {
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

impl Carry<'_> {
    /// The tensor on the capture device; where it is if it cannot be read, so that whoever moves it then says why.
    fn carry<const D: usize, K: Basic>(&self, tensor: Tensor<D, K>) -> Tensor<D, K> {
        let data = DynTensor::from(tensor.clone()).into_data();
        let carried =
            data.and_then(|data| DynTensor::from_data(shared(data), self.0)).and_then(|it| it.typed("a weight"));
        carried.unwrap_or(tensor)
    }
}

fn shared(data: TensorData) -> TensorData {
    let (bytes, shape, dtype) = data.into_parts();
    TensorData::from_bytes(bytes.shared(), shape, dtype)
}
