use super::*;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Tensor, TensorData, Tolerance};

/// Output, gradients of input, weight, factor and summand, and running statistics.
fn numbers(y: Tensor<4>, x: &Tensor<4>, weight: Option<Tensor<4>>, norm: Option<&BatchNorm>) -> Vec<TensorData> {
    // A gradient that differs everywhere.
    let pull: Tensor<4> = Tensor::ones(y.dims(), &y.device()).cumsum(1).cumsum(3).sin();
    let data = y.to_data();
    let gradients = (y * pull).sum().backward();
    let mut found = vec![data, x.grad(&gradients).unwrap().into_data()];
    found.extend(weight.map(|weight| weight.grad(&gradients).unwrap().into_data()));
    if let Some(norm) = norm {
        // A frozen layer has none.
        found.extend(norm.gamma.val().grad(&gradients).map(Tensor::into_data));
        found.extend(norm.beta.val().grad(&gradients).map(Tensor::into_data));
        found.push(norm.running_mean.value_sync().into_data());
        found.push(norm.running_var.value_sync().into_data());
    }
    found
}

fn norm(channels: usize, device: &Device) -> BatchNorm {
    let mut norm = BatchNormConfig::new(channels).init(device);
    norm.gamma = norm.gamma.map(|gamma| gamma.random_like(Distribution::Uniform(-1.0, 2.0)).require_grad());
    norm.beta = norm.beta.map(|beta| beta.random_like(Distribution::Uniform(-0.5, 0.5)).require_grad());
    norm.running_mean.update(Tensor::random([channels], Distribution::Default, device));
    norm.running_var.update(Tensor::random([channels], Distribution::Uniform(0.5, 2.0), device));
    norm
}

/// Draws of a case, of which two must agree. A number next to zero may be rounded to one side here and to the other there, and
/// then ReLU's gradient is another; a mistake shows in every draw.
const DRAWS: usize = 4;
const AGREEING: usize = 2;

#[test]
fn a_convolution_after_a_normalisation_is_what_burn_computes() {
    for (kernel, stride, padding) in [(1, 1, 0), (3, 1, 1), (1, 2, 0), (3, 2, 1), (7, 2, 3), (5, 1, 2), (3, 1, 0)] {
        for shape in [[1, 3, 8, 8], [3, 3, 7, 9], [2, 3, 30, 30]] {
            for kind in ["plain", "training", "fixed"] {
                let draw = |_| difference([kernel, stride, padding], shape, kind);
                let differences: Vec<String> = (0..DRAWS).filter_map(draw).collect();
                let place = format!("kernel {kernel} stride {stride} padding {padding}, {shape:?}, {kind}");
                assert!(DRAWS - differences.len() >= AGREEING, "{place}: {differences:#?}");
            }
        }
    }
}

/// Where our convolution after a normalisation, or after none, differs from Burn's.
fn difference([kernel, stride, padding]: [usize; 3], shape: [usize; 4], kind: &str) -> Option<String> {
    let device = Device::flex().autodiff();
    let layer = crate::convolution::convolution([3, 5], kernel, stride, padding, &device);
    let mut before = (kind != "plain").then(|| norm(3, &device));
    if kind == "fixed" {
        before = before.map(Module::freeze);
    }
    let x: Tensor<4> = Tensor::random(shape, Distribution::Normal(1.0, 2.0), &device).require_grad();
    let other = before.as_ref().map(|norm| norm.clone().fork(&device));
    let plain = match &other {
        Some(norm) => layer.forward(relu(norm.forward(x.clone()))),
        None => layer.forward(x.clone()),
    };
    let [batch, _, height, width] = shape;
    let grid = Grid { groups: batch, images: 1, height, width };
    let (fast, _) = convolve(x.clone(), grid, before.as_ref(), &layer);
    let wanted = numbers(plain, &x, Some(layer.weight.val()), other.as_ref());
    let found = numbers(fast, &x, Some(layer.weight.val()), before.as_ref());
    first_difference(&found, &wanted)
}

#[test]
fn a_normalisation_is_what_burn_computes() {
    for is_rectified in [false, true] {
        let differences: Vec<String> = (0..DRAWS).filter_map(|_| difference_of_norms(is_rectified)).collect();
        assert!(DRAWS - differences.len() >= AGREEING, "rectified {is_rectified}: {differences:#?}");
    }
}

/// Where our normalisation differs from Burn's.
fn difference_of_norms(is_rectified: bool) -> Option<String> {
    let device = Device::flex().autodiff();
    let x: Tensor<4> = Tensor::random([4, 3, 5, 7], Distribution::Normal(-1.0, 3.0), &device).require_grad();
    let before = norm(3, &device);
    let other = before.clone().fork(&device);
    let plain = other.forward(x.clone());
    let plain = if is_rectified { relu(plain) } else { plain };
    let fast = normalise(x.clone(), Grid { groups: 4, images: 1, height: 5, width: 7 }, &before, is_rectified);
    let (found, wanted) = (numbers(fast, &x, None, Some(&before)), numbers(plain, &x, None, Some(&other)));
    first_difference(&found, &wanted)
}

#[test]
fn images_that_lie_together_stay_apart() {
    let device = Device::flex().autodiff();
    for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (1, 1, 0)] {
        let layer = crate::convolution::convolution([2, 4], kernel, stride, padding, &device);
        let x: Tensor<4> = Tensor::random([6, 2, 4, 4], Distribution::Default, &device).require_grad();
        let grid = Grid { groups: 2, images: 3, height: 4, width: 4 };
        let grouped = x.clone().reshape([2, 3, 2, 16]).swap_dims(1, 2).reshape([2, 2, 12, 4]);
        let (y, out) = convolve(grouped, grid, None, &layer);
        let y = y.reshape([2, 4, 3, out.height * out.width]).swap_dims(1, 2).reshape([6, 4, out.height, out.width]);
        let wanted = numbers(layer.forward(x.clone()), &x, Some(layer.weight.val()), None);
        let found = numbers(y, &x, Some(layer.weight.val()), None);
        found.iter().zip(&wanted).for_each(|(found, wanted)| found.assert_approx_eq(wanted, tolerance()));
    }
}

/// Sums of a few thousand products in another order.
fn tolerance() -> Tolerance<f32> {
    Tolerance::rel_abs(1e-3, 1e-4)
}

fn first_difference(found: &[TensorData], wanted: &[TensorData]) -> Option<String> {
    let mut pairs = found.iter().zip(wanted).enumerate();
    pairs.find_map(|(index, (found, wanted))| Some(format!("number {index}: {}", differs(found, wanted)?)))
}

fn differs(found: &TensorData, wanted: &TensorData) -> Option<String> {
    let (found, wanted) = (found.try_to_vec::<f32>().unwrap(), wanted.try_to_vec::<f32>().unwrap());
    let largest = wanted.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
    let worst = found.iter().zip(&wanted).map(|(found, wanted)| (found - wanted).abs() / largest).fold(0.0, f32::max);
    (found.len() != wanted.len() || worst.is_nan() || worst >= 1e-5)
        .then(|| format!("{} and {} numbers, off by {worst:e}", found.len(), wanted.len()))
}
