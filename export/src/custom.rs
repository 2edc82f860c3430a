//! Operations that Burn's IR does not know.

use burn::backend::capture::CaptureBackend;
use burn::backend::{BackendTensor, DispatchKindConversion, DispatchTensor};
use burn::tensor::kind::BridgeTensor;
use burn::tensor::{DType, Shape, Tensor};
use burn_ir::{CustomOpIr, OperationIr, ScalarIr, TensorIr};
use burn_router::{RouterClient, RouterTensor};

use crate::{DynTensor, Outputs};

/// Computes with a function of one's own, which a compiled model holds as one operation.
///
/// Where a module is being compiled, `compute` does not run: the operation `id` is recorded in its place, and a lowering
/// given to [`Export::lowerings`](crate::Export::lowerings) writes its nodes. Everywhere else it is `compute(inputs)`.
///
/// # Shapes
/// - `dims`: of the result, whose element type is that of the first floating point input.
///
/// # Example
/// ```
/// use burn::backend::ir::OperationIr;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor, activation::sigmoid};
/// use selfie_export::ir::attributes;
/// use selfie_export::lower::{Context, Lowered, Lowering};
/// use selfie_export::{Export, custom};
///
/// /// `x · σ(αx)`, for which ONNX Runtime has an operator of its own.
/// fn quick_gelu(x: Tensor<2>, alpha: f64) -> Tensor<2> {
///     let dims = x.dims();
///     custom("quick_gelu", x, &[alpha], dims, |x| x.clone() * sigmoid(x * alpha))
/// }
///
/// fn lower(context: &mut Context<'_>, operation: &OperationIr) -> selfie_export::Result<Lowered> {
///     match operation {
///         OperationIr::Custom(custom) if custom.id == "quick_gelu" => {
///             let x = context.input(&custom.inputs[0])?;
///             let alpha = attributes([("alpha", custom.scalars[0].elem::<f32>().into())]);
///             let y = context.node_of("com.microsoft", "QuickGelu", &[x], alpha);
///             context.bind(&custom.outputs[0], y)?;
///             Ok(Lowered::Done)
///         }
///         _ => Ok(Lowered::NotMine),
///     }
/// }
///
/// let device = Device::flex();
/// let module = LinearConfig::new(4, 2).init(&device);
/// let model = Export::new(&module)
///     .input("x", Tensor::<2>::zeros([2, 4], &device), [(0, "batch")])
///     .outputs(["y"])
///     .lowerings(&[Lowering { name: "quick_gelu", operations: &[], lower }])
///     .compile(|module: &Linear, x: Tensor<2>| quick_gelu(module.forward(x), 1.702))?;
/// assert!(model.graph().nodes.iter().any(|node| node.op == "QuickGelu"));
/// # Ok::<(), selfie_export::Error>(())
/// ```
pub fn custom<I: Outputs + Clone, const D: usize>(
    id: &'static str,
    inputs: I,
    scalars: &[f64],
    dims: [usize; D],
    compute: impl FnOnce(I) -> Tensor<D>,
) -> Tensor<D> {
    let recorded = record(id, inputs.clone().into_tensors(), scalars, Shape::from(dims));
    recorded.map_or_else(|| compute(inputs), Tensor::from_bridge)
}

/// Records the operation, if all of its inputs are on a capture device.
fn record(id: &'static str, inputs: Vec<DynTensor>, scalars: &[f64], shape: Shape) -> Option<BridgeTensor> {
    let dtype = inputs.iter().map(DynTensor::dtype).find(DType::is_float).unwrap_or(DType::F32);
    let inputs = inputs.iter().map(|input| input.captured().ok()).collect::<Option<Vec<_>>>()?;
    let client = inputs.first()?.client.clone();
    let out = TensorIr::uninit(client.create_empty_handle(), shape, dtype);
    let inputs: Vec<TensorIr> = inputs.into_iter().map(RouterTensor::into_ir).collect();
    let scalars = scalars.iter().copied().map(ScalarIr::Float).collect();
    let operation = CustomOpIr::with_scalars(id, &inputs, &[out], scalars);
    let output = client.register(OperationIr::Custom(operation)).pop()?;
    let output = BackendTensor::<CaptureBackend>::Float(output);
    Some(BridgeTensor::float(<DispatchTensor as DispatchKindConversion<CaptureBackend>>::from_backend(output)))
}
