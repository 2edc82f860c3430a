//! Inputs and outputs of any rank and type: what the closure of an export takes and returns.

use burn::backend::capture::CaptureBackend;
use burn::backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn::backend::tensor::FloatTensor;
use burn::backend::{BackendTensor, Dispatch, DispatchKindConversion, DispatchTensor};
use burn::tensor::kind::{Basic, BridgeTensor};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use burn_ir::{TensorId, TensorIr};

use crate::{Error, Result};

/// A tensor whose rank and kind are only known at run time.
#[derive(Clone, Debug)]
pub struct DynTensor {
    bridge: BridgeTensor,
}

impl<const D: usize, K: Basic> From<Tensor<D, K>> for DynTensor {
    fn from(tensor: Tensor<D, K>) -> Self {
        Self { bridge: tensor.into_bridge() }
    }
}

impl DynTensor {
    /// Puts numbers on a device. The element type stays as it is, except that booleans take the device's own storage.
    ///
    /// # Errors
    /// Quantised numbers are refused.
    pub fn from_data(data: TensorData, device: &Device) -> Result<Self> {
        let on = device.as_dispatch();
        let bridge = match data.dtype() {
            DType::Bool(_) => {
                let stored: DType = device.settings().bool_dtype.into();
                BridgeTensor::bool(Dispatch::bool_from_data(data.convert_dtype(stored), on))
            }
            dtype if dtype.is_float() => BridgeTensor::float(Dispatch::float_from_data(data, on)),
            dtype if dtype.is_int() || dtype.is_uint() => BridgeTensor::int(Dispatch::int_from_data(data, on)),
            dtype => return Err(Error::UnsupportedElementType(format!("{dtype:?}"))),
        };
        Ok(Self { bridge })
    }

    /// A tensor of this shape and type on a capture device, without numbers: a module that reads them is refused there.
    pub(crate) fn blank(dims: &[usize], dtype: DType, device: &Device) -> Result<Self> {
        let (on, shape) = (device.as_dispatch(), Shape::from(dims.to_vec()));
        let bridge = match dtype {
            DType::Bool(_) => BridgeTensor::bool(Dispatch::bool_empty(shape, on, device.settings().bool_dtype)),
            dtype if dtype.is_float() => BridgeTensor::float(Dispatch::float_empty(shape, on, dtype.into())),
            dtype if dtype.is_int() || dtype.is_uint() => {
                BridgeTensor::int(Dispatch::int_empty(shape, on, dtype.into()))
            }
            dtype => return Err(Error::UnsupportedElementType(format!("{dtype:?}"))),
        };
        Ok(Self { bridge })
    }

    /// The tensor with its rank and kind in the type.
    ///
    /// # Errors
    /// The rank or the kind is another one.
    pub fn typed<const D: usize, K: Basic>(self, place: &str) -> Result<Tensor<D, K>> {
        let dtype = self.bridge.dtype();
        let kind = match dtype {
            DType::Bool(_) => "Bool",
            dtype if dtype.is_float() => "Float",
            _ => "Int",
        };
        if self.bridge.rank() != D || kind != K::name() {
            return Err(Error::Signature {
                place: place.to_string(),
                expected: format!("{} tensor of rank {D}", K::name()),
                found: format!("{kind} tensor of rank {} ({dtype:?})", self.bridge.rank()),
            });
        }
        Ok(Tensor::from_bridge(self.bridge))
    }

    /// Sizes of the axes.
    pub fn dims(&self) -> Vec<usize> {
        self.bridge.shape().to_vec()
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.bridge.dtype()
    }

    /// The numbers.
    ///
    /// # Errors
    /// The device cannot give them.
    pub fn into_data(self) -> Result<TensorData> {
        let failed =
            |found: String| Error::Signature { place: "a tensor".into(), expected: "readable numbers".into(), found };
        let dispatch = DispatchTensor::from(self.bridge.clone());
        let read = match self.bridge.dtype() {
            DType::Bool(_) => burn::tensor::try_read_sync(Dispatch::bool_into_data(dispatch)),
            dtype if dtype.is_float() => burn::tensor::try_read_sync(Dispatch::float_into_data(dispatch)),
            _ => burn::tensor::try_read_sync(Dispatch::int_into_data(dispatch)),
        };
        match read {
            Some(Ok(data)) => Ok(data),
            Some(Err(error)) => Err(failed(error.to_string())),
            None => Err(failed("a device that cannot be read synchronously".into())),
        }
    }

    /// The tensor of the capture device.
    pub(crate) fn captured(&self) -> Result<FloatTensor<CaptureBackend>> {
        let dispatch = DispatchTensor::from(self.bridge.clone());
        let elsewhere = |found: String| Error::Signature {
            place: "a tensor".into(),
            expected: "one on the device of the module".into(),
            found,
        };
        match <DispatchTensor as DispatchKindConversion<CaptureBackend>>::try_into_backend(dispatch) {
            Ok(BackendTensor::Float(tensor) | BackendTensor::Int(tensor) | BackendTensor::Bool(tensor)) => Ok(tensor),
            Ok(_) => Err(elsewhere("a quantised or autodiff tensor".into())),
            Err(found) => Err(elsewhere(found)),
        }
    }

    /// The id the capture device gave the tensor.
    pub(crate) fn capture_id(&self) -> Result<TensorId> {
        Ok(self.captured()?.id())
    }

    pub(crate) fn capture_ir(&self) -> Result<TensorIr> {
        Ok(TensorIr::uninit(self.capture_id()?, self.bridge.shape(), self.bridge.dtype()))
    }
}

/// What the closure of an export takes: a tensor, a tuple of up to twelve tensors, or a list of [`DynTensor`].
pub trait Inputs: Sized {
    /// Gives the tensors their types.
    ///
    /// # Errors
    /// The number, a rank or a kind is another one.
    fn from_tensors(tensors: Vec<DynTensor>) -> Result<Self>;
}

/// What the closure of an export returns: a tensor, a tuple of up to twelve tensors, or a list of [`DynTensor`].
pub trait Outputs {
    /// Erases the types of the tensors.
    fn into_tensors(self) -> Vec<DynTensor>;
}

impl Inputs for Vec<DynTensor> {
    fn from_tensors(tensors: Vec<DynTensor>) -> Result<Self> {
        Ok(tensors)
    }
}

impl Outputs for Vec<DynTensor> {
    fn into_tensors(self) -> Vec<DynTensor> {
        self
    }
}

impl<const D: usize, K: Basic> Inputs for Tensor<D, K> {
    fn from_tensors(tensors: Vec<DynTensor>) -> Result<Self> {
        let [tensor] = exactly::<1>(tensors)?;
        tensor.typed("input 0")
    }
}

impl<const D: usize, K: Basic> Outputs for Tensor<D, K> {
    fn into_tensors(self) -> Vec<DynTensor> {
        vec![self.into()]
    }
}

macro_rules! tuples {
    ($count:literal: $($index:tt $rank:ident $kind:ident),+) => {
        impl<$(const $rank: usize, $kind: Basic),+> Inputs for ($(Tensor<$rank, $kind>,)+) {
            fn from_tensors(tensors: Vec<DynTensor>) -> Result<Self> {
                let tensors = exactly::<$count>(tensors)?;
                Ok(($(tensors[$index].clone().typed(concat!("input ", $index))?,)+))
            }
        }

        impl<$(const $rank: usize, $kind: Basic),+> Outputs for ($(Tensor<$rank, $kind>,)+) {
            fn into_tensors(self) -> Vec<DynTensor> {
                vec![$(self.$index.into()),+]
            }
        }
    };
}

tuples!(1: 0 A KA);
tuples!(2: 0 A KA, 1 B KB);
tuples!(3: 0 A KA, 1 B KB, 2 C KC);
tuples!(4: 0 A KA, 1 B KB, 2 C KC, 3 D KD);
tuples!(5: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE);
tuples!(6: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE, 5 F KF);
tuples!(7: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE, 5 F KF, 6 G KG);
tuples!(8: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE, 5 F KF, 6 G KG, 7 H KH);
tuples!(9: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE, 5 F KF, 6 G KG, 7 H KH, 8 I KI);
tuples!(10: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE, 5 F KF, 6 G KG, 7 H KH, 8 I KI, 9 J KJ);
tuples!(11: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE, 5 F KF, 6 G KG, 7 H KH, 8 I KI, 9 J KJ, 10 K KK);
tuples!(12: 0 A KA, 1 B KB, 2 C KC, 3 D KD, 4 E KE, 5 F KF, 6 G KG, 7 H KH, 8 I KI, 9 J KJ, 10 K KK, 11 L KL);

fn exactly<const N: usize>(tensors: Vec<DynTensor>) -> Result<[DynTensor; N]> {
    let found = tensors.len();
    tensors.try_into().map_err(|_| Error::Signature {
        place: "the closure".into(),
        expected: format!("{N} inputs"),
        found: format!("{found}"),
    })
}

/// Runs a forward function eagerly on the device of the module, with the same closure an export takes.
///
/// # Errors
/// The inputs do not fit the closure, or the outputs cannot be read.
pub fn run_eager<M, I: Inputs, O: Outputs>(
    module: &M,
    device: &Device,
    forward: impl Fn(&M, I) -> O,
    inputs: Vec<TensorData>,
) -> Result<Vec<TensorData>> {
    let tensors = inputs.into_iter().map(|data| DynTensor::from_data(data, device)).collect::<Result<_>>()?;
    forward(module, I::from_tensors(tensors)?).into_tensors().into_iter().map(DynTensor::into_data).collect()
}
