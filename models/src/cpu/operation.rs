//! The kernels as operations of Burn's autodiff over its CPU device.

use super::conv::Convolution;
use super::grid::Grid;
use super::norm::{self, Statistics};
use crate::convolution::Window;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::{DType, Shape, Tensor, TensorData};
use std::sync::Arc;

type Primitive = FloatTensor<Autodiff<Flex>>;

/// Whether a tensor is where these operations are: on the CPU device, in training, in 32 bits.
pub fn is_fast<const D: usize>(x: &Tensor<D>) -> bool {
    x.device().is_autodiff() && x.dtype() == DType::F32 && primitive(x.clone()).is_some()
}

fn primitive<const D: usize>(x: Tensor<D>) -> Option<Primitive> {
    x.try_into_primitive::<Autodiff<Flex>>().ok()
}

/// What a convolution needs on its way back.
#[derive(Clone, Debug)]
struct ConvolutionState {
    convolution: Convolution,
    grid: Grid,
    x: FlexTensor,
    weight: FlexTensor,
    statistics: Option<Arc<Statistics>>,
}

impl ConvolutionState {
    fn backward(&self, gradient: FlexTensor, with_x: bool) -> super::conv::Gradients {
        let statistics = self.statistics.as_deref();
        let (x, weight) = (numbers(&self.x), numbers(&self.weight));
        self.convolution.backward(x, self.grid, weight, statistics, numbers(&gradient.to_contiguous()), with_x)
    }
}

#[derive(Debug)]
struct Convolved;

/// Parents: input and weight.
impl Backward<Flex, 2> for Convolved {
    type State = ConvolutionState;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, weight] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let found = ops.state.backward(grads.consume::<Flex>(&ops.node), x.is_some());
        register(grads, x, found.x.unwrap_or_default(), ops.state.x.layout().shape());
        register(grads, weight, found.weight, ops.state.weight.layout().shape());
    }
}

#[derive(Debug)]
struct NormConvolved;

/// Parents: input, weight, and the normalisation's factor and summand.
impl Backward<Flex, 4> for NormConvolved {
    type State = ConvolutionState;

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, weight, gamma, beta] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        // The normalisation's own gradients come out of that of the input.
        let found = ops.state.backward(grads.consume::<Flex>(&ops.node), true);
        register(grads, x, found.x.unwrap_or_default(), ops.state.x.layout().shape());
        register(grads, weight, found.weight, ops.state.weight.layout().shape());
        if let Some(norm) = found.norm {
            let channels = Shape::new([ops.state.convolution.inputs]);
            register(grads, gamma, norm.gamma, &channels);
            register(grads, beta, norm.beta, &channels);
        }
    }
}

/// What a normalisation needs on its way back.
#[derive(Clone, Debug)]
struct NormState {
    grid: Grid,
    x: FlexTensor,
    statistics: Arc<Statistics>,
    is_rectified: bool,
}

#[derive(Debug)]
struct Normalised;

/// Parents: input, factor and summand.
impl Backward<Flex, 3> for Normalised {
    type State = NormState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, gamma, beta] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let NormState { grid, x: input, statistics, is_rectified } = ops.state;
        let mut gradient = numbers(&grads.consume::<Flex>(&ops.node).to_contiguous()).to_vec();
        let found = norm::backward(&mut gradient, numbers(&input), grid, &statistics, is_rectified);
        let channels = Shape::new([statistics.mean.len()]);
        register(grads, x, gradient, input.layout().shape());
        register(grads, gamma, found.gamma, &channels);
        register(grads, beta, found.beta, &channels);
    }
}

/// Applies a square convolution without bias, after a batch normalisation and a rectifier if there is one.
///
/// # Shapes
/// - `x`: `[groups, inputs, images * height, width]` → `[groups, outputs, images * rows, columns]`
///
/// # Panics
/// `x` is not where [`is_fast`] says.
pub fn convolve(x: Tensor<4>, grid: Grid, before: Option<&BatchNorm>, convolution: &Conv2d) -> (Tensor<4>, Grid) {
    let weight = convolution.weight.val();
    let [outputs, inputs, ..] = weight.dims();
    let window = Window::of(convolution);
    let convolution = Convolution { inputs, outputs, window };
    let positions = window.over(grid);
    let (x, weight) = (parent(x), parent(weight));
    let norm = before.map(|norm| Norm::new(&x, grid, norm));
    let state = ConvolutionState {
        convolution,
        grid,
        x: contiguous(&x),
        weight: contiguous(&weight),
        statistics: norm.as_ref().map(|norm| norm.statistics.clone()),
    };
    let y = convolution.forward(numbers(&state.x), grid, numbers(&state.weight), state.statistics.as_deref());
    let y = flex(y, &Shape::new([positions.groups, outputs, positions.rows(), positions.width]));
    let y = match norm {
        None => finish(Convolved.prepare([x.node(), weight.node()]).compute_bound().stateful(), state, y),
        Some(norm) => {
            let parents = [x.node(), weight.node(), norm.gamma.node(), norm.beta.node()];
            finish(NormConvolved.prepare(parents).compute_bound().stateful(), state, y)
        }
    };
    (Tensor::from_primitive::<Autodiff<Flex>>(y), positions)
}

/// Applies a batch normalisation, and a rectifier after it if that is asked for.
///
/// # Shapes
/// - `x`: `[groups, channels, images * height, width]`, the output has the same
///
/// # Panics
/// `x` is not where [`is_fast`] says.
pub fn normalise(x: Tensor<4>, grid: Grid, norm: &BatchNorm, is_rectified: bool) -> Tensor<4> {
    let x = parent(x);
    let Norm { gamma, beta, statistics } = Norm::new(&x, grid, norm);
    let state = NormState { grid, x: contiguous(&x), statistics, is_rectified };
    let y = norm::forward(numbers(&state.x), grid, &state.statistics, is_rectified);
    let y = flex(y, state.x.layout().shape());
    let parents = [x.node(), gamma.node(), beta.node()];
    Tensor::from_primitive::<Autodiff<Flex>>(finish(Normalised.prepare(parents).compute_bound().stateful(), state, y))
}

/// A normalisation's parameters and what they do to a batch.
struct Norm {
    gamma: Primitive,
    beta: Primitive,
    statistics: Arc<Statistics>,
}

impl Norm {
    /// Looks at the batch, and lets the layer's running statistics follow, as Burn's layer does.
    fn new(x: &Primitive, grid: Grid, norm: &BatchNorm) -> Self {
        let (gamma, beta) = (parent(norm.gamma.val()), parent(norm.beta.val()));
        let (factor, summand) = (contiguous(&gamma), contiguous(&beta));
        let (factor, summand) = (numbers(&factor), numbers(&summand));
        let statistics = if norm.training.is_enabled() {
            let statistics = Statistics::of(numbers(&contiguous(x)), grid, factor, summand, norm.epsilon);
            let device = norm.gamma.val().device();
            for (running, batch) in [(&norm.running_mean, &statistics.mean), (&norm.running_var, &statistics.variance)]
            {
                let batch = Tensor::<1>::from_data(TensorData::from(batch.as_slice()), &device);
                let before = running.value_sync().to_device(&device).mul_scalar(1.0 - norm.momentum);
                running.update(before.add(batch.mul_scalar(norm.momentum)).detach());
            }
            statistics
        } else {
            let fixed = |tensor: Tensor<1>| numbers(&contiguous(&parent(tensor))).to_vec();
            let device = norm.gamma.val().device();
            let mean = fixed(norm.running_mean.value().to_device(&device));
            let variance = fixed(norm.running_var.value().to_device(&device));
            Statistics::fixed(mean, variance, factor, summand, norm.epsilon)
        };
        Self { gamma, beta, statistics: Arc::new(statistics) }
    }
}

fn finish<O, S, const N: usize>(prepared: OpsKind<O, Flex, S, NoCheckpointing, N>, state: S, y: FlexTensor) -> Primitive
where
    O: Backward<Flex, N, State = S>,
    S: Clone + Send + std::fmt::Debug + 'static,
{
    match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[expect(
    clippy::expect_used,
    reason = "the caller has asked is_fast about the network's input, and a network is in one place"
)]
fn parent<const D: usize>(tensor: Tensor<D>) -> Primitive {
    primitive(tensor).expect("a tensor in training on the CPU device")
}

fn contiguous(tensor: &Primitive) -> FlexTensor {
    tensor.primitive().to_contiguous()
}

#[expect(clippy::expect_used, reason = "every tensor here was made contiguous and has 32 bits")]
fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().expect("contiguous 32-bit floats")
}

fn flex(numbers: Vec<f32>, shape: &Shape) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape.clone()))
}

fn register(grads: &mut Gradients, parent: Option<NodeId>, gradient: Vec<f32>, shape: &Shape) {
    if let Some(parent) = parent {
        grads.register::<Flex>(parent, flex(gradient, shape));
    }
}
