//! Convolution and batch normalisation as operations with a way back of their own.
//!
//! Burn's own way back through the tensor operations of [`layers`] gives the same numbers, in three times as many passes over memory: it
//! knows neither that the columns of a convolution can be made again from its input, nor that the gradient of a normalisation has a
//! short form.

use super::layers::{self, in_pieces, sum_of_channels};
use crate::convolution::Window;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, DispatchKindConversion, DispatchTensor, Flex};
use burn::tensor::{Slice, Tensor};
use std::fmt::Debug;

/// A batch normalised by its own statistics.
pub struct Normalised {
    /// The normalised batch.
    pub output: Tensor<4>,
    /// Mean of each channel.
    pub mean: Tensor<1>,
    /// Variance of each channel around it, that of the batch itself.
    pub variance: Tensor<1>,
}

/// A convolution; without a way back where nothing is differentiated.
///
/// # Shapes
/// As [`layers::convolve`].
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, window: Window) -> Tensor<4> {
    #[cfg(feature = "gpu")]
    if let Some(y) = convolve_on::<burn::backend::Cube>(&x, &weight, window) {
        return y;
    }
    convolve_on::<Flex>(&x, &weight, window).unwrap_or_else(|| layers::convolve(x, weight, window))
}

/// Batch normalisation by the statistics of the batch.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]`, the output has the same
/// - `gamma`, `beta`: `[channels]`
pub fn normalise(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Normalised {
    #[cfg(feature = "gpu")]
    if let Some(normalised) = normalise_on::<burn::backend::Cube>(&x, &gamma, &beta, epsilon) {
        return normalised;
    }
    normalise_on::<Flex>(&x, &gamma, &beta, epsilon).unwrap_or_else(|| {
        let Centred { x: centred, mean, variance } = Centred::new(x);
        let factor = line(gamma) / variance.clone().add_scalar(epsilon).sqrt();
        Normalised { output: centred * factor + line(beta), mean: flat(mean), variance: flat(variance) }
    })
}

/// What a convolution needs on its way back.
#[derive(Clone, Debug)]
struct ConvolutionState<B: Backend> {
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    window: Window,
}

#[derive(Debug)]
struct Convolved;

/// Parents: input and weight.
impl<B: Backend> Backward<B, 2> for Convolved
where
    DispatchTensor: DispatchKindConversion<B>,
{
    type State = ConvolutionState<B>;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, weight] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let gradient: Tensor<4> = plain::<B, 4>(grads.consume::<B>(&ops.node));
        let (input, kernel) = (plain::<B, 4>(ops.state.x), plain::<B, 4>(ops.state.weight));
        let window = ops.state.window;
        if x.is_some() {
            register::<B, 4>(grads, x, back_to_input(gradient.clone(), kernel.clone(), input.dims(), window));
        }
        if weight.is_some() {
            register::<B, 4>(grads, weight, back_to_weight(gradient, input, kernel.dims(), window));
        }
    }
}

fn convolve_on<B: Backend>(x: &Tensor<4>, weight: &Tensor<4>, window: Window) -> Option<Tensor<4>>
where
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
{
    let (x, weight) = (tracked::<B, 4>(x)?, tracked::<B, 4>(weight)?);
    let state = ConvolutionState::<B> { x: x.primitive().clone(), weight: weight.primitive().clone(), window };
    let y = layers::convolve(plain::<B, 4>(state.x.clone()), plain::<B, 4>(state.weight.clone()), window);
    let prepared = Convolved.prepare::<NoCheckpointing>([x.node(), weight.node()]).compute_bound().stateful();
    finish::<B, _, _, 2>(prepared, state, y)
}

/// The gradient of a convolution's input. With a stride of 1 it is a convolution by the kernel turned round.
fn back_to_input(gradient: Tensor<4>, weight: Tensor<4>, shape: [usize; 4], window: Window) -> Tensor<4> {
    let Window { kernel, stride, padding } = window;
    if stride == 1 && padding < kernel {
        let weight = weight.swap_dims(0, 1).flip([2, 3]);
        return layers::convolve(gradient, weight, Window { kernel, stride, padding: kernel - 1 - padding });
    }
    let [batch, rows, columns, outputs] = gradient.dims();
    let [_, height, width, inputs] = shape;
    let length = kernel * kernel * inputs;
    let weight: Tensor<3> = weight.permute([0, 2, 3, 1]).reshape([1, outputs, length]);
    let cells: Tensor<4> = in_pieces(gradient).matmul(weight).reshape([batch, rows, columns, length]);
    let mut sum = Tensor::zeros([batch, height + 2 * padding, width + 2 * padding, inputs], &cells.device());
    for cell in 0..kernel * kernel {
        let every = |start: usize, count: usize| {
            Slice::new(start as isize, Some((start + (count - 1) * stride + 1) as isize), stride as isize)
        };
        let place = [Slice::full(), every(cell / kernel, rows), every(cell % kernel, columns), Slice::full()];
        let part = cells.clone().slice([0..batch, 0..rows, 0..columns, cell * inputs..(cell + 1) * inputs]);
        sum = sum.clone().slice_assign(place, sum.slice(place) + part);
    }
    sum.slice([0..batch, padding..padding + height, padding..padding + width, 0..inputs])
}

/// The gradient of a convolution's weight, summed in pieces.
fn back_to_weight(gradient: Tensor<4>, x: Tensor<4>, shape: [usize; 4], window: Window) -> Tensor<4> {
    let [outputs, inputs, kernel, _] = shape;
    let columns = in_pieces(layers::columns(x, window));
    let sums: Tensor<3> = columns.swap_dims(1, 2).matmul(in_pieces(gradient)).sum_dim(0);
    let sums: Tensor<4> = sums.reshape([kernel, kernel, inputs, outputs]);
    sums.permute([3, 2, 0, 1])
}

/// A batch without the mean of each channel.
struct Centred {
    x: Tensor<4>,
    mean: Tensor<4>,
    variance: Tensor<4>,
}

impl Centred {
    fn new(x: Tensor<4>) -> Self {
        let rows = rows(&x);
        let mean = sum_of_channels(x.clone()).div_scalar(rows);
        let x = x - mean.clone();
        let variance = sum_of_channels(x.clone().mul(x.clone())).div_scalar(rows);
        Self { x, mean, variance }
    }
}

/// What a normalisation needs on its way back.
#[derive(Clone, Debug)]
struct NormState<B: Backend> {
    centred: FloatTensor<B>,
    deviation: FloatTensor<B>,
    gamma: FloatTensor<B>,
}

#[derive(Debug)]
struct BatchNormalised;

/// Parents: input, factor and summand.
impl<B: Backend> Backward<B, 3> for BatchNormalised
where
    DispatchTensor: DispatchKindConversion<B>,
{
    type State = NormState<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [x, gamma, beta] = ops.parents.map(|parent| parent.map(|parent| parent.id));
        let gradient: Tensor<4> = plain::<B, 4>(grads.consume::<B>(&ops.node));
        let centred = plain::<B, 4>(ops.state.centred);
        let deviation = plain::<B, 4>(ops.state.deviation);
        let factor = line(plain::<B, 1>(ops.state.gamma)) / deviation.clone();
        let sum = sum_of_channels(gradient.clone());
        let product = sum_of_channels(gradient.clone() * centred.clone()) / deviation.clone();
        if x.is_some() {
            let rows = rows(&gradient);
            let along = (product.clone() / deviation).div_scalar(rows);
            let found = (gradient - centred * along - sum.clone().div_scalar(rows)) * factor;
            register::<B, 4>(grads, x, found);
        }
        register::<B, 1>(grads, gamma, flat(product));
        register::<B, 1>(grads, beta, flat(sum));
    }
}

fn normalise_on<B: Backend>(x: &Tensor<4>, gamma: &Tensor<1>, beta: &Tensor<1>, epsilon: f64) -> Option<Normalised>
where
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
{
    let (x, gamma, beta) = (tracked::<B, 4>(x)?, tracked::<B, 1>(gamma)?, tracked::<B, 1>(beta)?);
    let Centred { x: centred, mean, variance } = Centred::new(plain::<B, 4>(x.primitive().clone()));
    let deviation = variance.clone().add_scalar(epsilon).sqrt();
    let factor = line(plain::<B, 1>(gamma.primitive().clone())) / deviation.clone();
    let y = centred.clone() * factor + line(plain::<B, 1>(beta.primitive().clone()));
    let state = NormState::<B> {
        centred: primitive::<B, 4>(centred)?,
        deviation: primitive::<B, 4>(deviation)?,
        gamma: gamma.primitive().clone(),
    };
    let parents = [x.node(), gamma.node(), beta.node()];
    let prepared = BatchNormalised.prepare::<NoCheckpointing>(parents).compute_bound().stateful();
    let output = finish::<B, _, _, 3>(prepared, state, y)?;
    Some(Normalised { output, mean: flat(mean), variance: flat(variance) })
}

/// Rows of a feature map, which are what a statistic of a channel is made of.
fn rows(x: &Tensor<4>) -> f64 {
    let [batch, height, width, _] = x.dims();
    (batch * height * width) as f64
}

/// `[channels]` to `[1, 1, 1, channels]`.
fn line(x: Tensor<1>) -> Tensor<4> {
    let channels = x.dims()[0];
    x.reshape([1, 1, 1, channels])
}

/// `[1, 1, 1, channels]` to `[channels]`.
fn flat(x: Tensor<4>) -> Tensor<1> {
    let channels = x.dims()[3];
    x.reshape([channels])
}

fn tracked<B: Backend, const D: usize>(x: &Tensor<D>) -> Option<FloatTensor<Autodiff<B>>>
where
    DispatchTensor: DispatchKindConversion<Autodiff<B>>,
{
    x.clone().try_into_primitive::<Autodiff<B>>().ok()
}

fn plain<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<D>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    Tensor::from_primitive::<B>(primitive)
}

fn primitive<B: Backend, const D: usize>(x: Tensor<D>) -> Option<FloatTensor<B>>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    x.try_into_primitive::<B>().ok()
}

fn finish<B: Backend, O, S, const N: usize>(
    prepared: OpsKind<O, B, S, NoCheckpointing, N>,
    state: S,
    y: Tensor<4>,
) -> Option<Tensor<4>>
where
    O: Backward<B, N, State = S>,
    S: Clone + Send + Debug + 'static,
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
{
    let y = primitive::<B, 4>(y)?;
    let y = match prepared {
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    };
    Some(Tensor::from_primitive::<Autodiff<B>>(y))
}

fn register<B: Backend, const D: usize>(grads: &mut Gradients, parent: Option<NodeId>, gradient: Tensor<D>)
where
    DispatchTensor: DispatchKindConversion<B>,
{
    if let (Some(parent), Some(gradient)) = (parent, primitive::<B, D>(gradient)) {
        grads.register::<B>(parent, gradient);
    }
}
