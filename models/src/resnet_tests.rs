use super::*;
use burn::module::{ModuleVisitor, Param, ParamId};
use burn::tensor::{Distribution, Gradients, TensorData};

/// Gradients of all parameters and all running statistics, in the order of the module.
#[derive(Default)]
struct Numbers<'a> {
    gradients: Option<&'a Gradients>,
    found: Vec<(ParamId, TensorData)>,
}

impl ModuleVisitor for Numbers<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let number = self.gradients.and_then(|gradients| value.grad(gradients)).map(Tensor::into_data);
        self.found.push((param.id, number.unwrap_or_else(|| value.into_data())));
    }
}

fn numbers(network: &ResNet, gradients: Option<&Gradients>) -> Vec<TensorData> {
    let mut numbers = Numbers { gradients, found: Vec::new() };
    network.visit(&mut numbers);
    numbers.found.into_iter().map(|(_, data)| data).collect()
}

/// Draws of weights and images a case, and how many of them must agree. An activation next to zero may be rounded to one
/// side here and to the other there, and then ReLU's gradient is another for all that it comes from; a mistake shows in every draw.
const DRAWS: usize = 9;
const AGREEING: usize = 3;

#[test]
fn training_on_the_cpu_device_gives_the_numbers_of_burns_own_operations() {
    compare(FeatureMap::new);
}

#[test]
fn training_with_the_channels_last_gives_the_numbers_of_burns_own_operations() {
    compare(FeatureMap::channels_last);
}

fn compare(way: fn(Tensor<4>) -> FeatureMap) {
    for block in [BlockKind::PreActivation, BlockKind::PostActivation] {
        for (stem, side, batch) in
            [(Stem::Small, 8, 32), (Stem::Strided, 9, 3), (Stem::Large, 20, 1), (Stem::Small, 12, 16)]
        {
            let config = ResNetConfig { channels: 3, stem, block, width: 4, depths: vec![1, 2, 1] };
            let differences: Vec<String> = (0..DRAWS).filter_map(|_| difference(&config, side, batch, way)).collect();
            assert!(DRAWS - differences.len() >= AGREEING, "{config:?}, {batch} x {side} x {side}: {differences:#?}");
        }
    }
}

/// Where a step that is computed in a way of this crate differs from one with Burn's operations.
fn difference(config: &ResNetConfig, side: usize, batch: usize, way: fn(Tensor<4>) -> FeatureMap) -> Option<String> {
    let device = Device::flex().autodiff();
    let network = config.init(&device);
    let images: Tensor<4> = Tensor::random([batch, 3, side, side], Distribution::Default, &device).require_grad();
    let (fast, plain) = (network.clone().fork(&device), network.fork(&device));
    let pull = |y: Tensor<4>| {
        let weights: Tensor<4> = Tensor::ones(y.dims(), &device).cumsum(0).cumsum(1).div_scalar(100.0);
        (y * weights).sum().backward()
    };
    let (a, b) = (way(images.clone()), FeatureMap::plain(images.clone()));
    let (a, b) = (fast.forward_map(a).into_tensor(), plain.forward_map(b).into_tensor());
    let mut pairs = vec![(a.to_data(), b.to_data())];
    let (a, b) = (pull(a), pull(b));
    pairs.push((images.grad(&a).unwrap().into_data(), images.grad(&b).unwrap().into_data()));
    let (a, b) = (numbers(&fast, Some(&a)), numbers(&plain, Some(&b)));
    assert!(a.len() > 20);
    pairs.extend(a.into_iter().zip(b));
    // What the running statistics have learned shows when they are used.
    let images = images.inner();
    let (a, b) = (way(images.clone()), FeatureMap::plain(images));
    let (a, b) = (fast.valid().forward_map(a).into_tensor(), plain.valid().forward_map(b).into_tensor());
    pairs.push((a.into_data(), b.into_data()));
    pairs.iter().enumerate().find_map(|(index, (a, b))| Some(format!("number {index} is {}", differs(a, b)?)))
}

/// How far two tensors are apart, measured by the largest number: deep below small batches single ones are noise.
fn differs(a: &TensorData, b: &TensorData) -> Option<String> {
    let (a, b) = (a.try_to_vec::<f32>().unwrap(), b.try_to_vec::<f32>().unwrap());
    let largest = b.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let worst = a.iter().zip(&b).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
    (a.len() != b.len() || worst.is_nan() || worst > 5e-3 * largest + 1e-4)
        .then(|| format!("off by {worst} of {largest}"))
}
