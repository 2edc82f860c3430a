//! The exponential moving average of a network: weights and batch-norm statistics.

use crate::Error;
use crate::layers::freeze;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// A network whose every number follows that of the trained one.
#[derive(Clone, Debug)]
pub(crate) struct Average<M> {
    /// In evaluation mode.
    module: M,
    decay: f64,
}

impl<M: Module> Average<M> {
    /// An average that begins with a network.
    pub(crate) fn new(network: &M, decay: f64) -> Self {
        Self { module: network.valid(), decay }
    }

    /// An average that an earlier start of the run has left.
    pub(crate) fn from_saved(module: M, decay: f64) -> Self {
        Self { module, decay }
    }

    /// The average with frozen groups, as its network has them.
    pub(crate) fn frozen(self, names: &[String]) -> Self {
        Self { module: freeze(self.module, names), ..self }
    }

    /// The average, in evaluation mode.
    pub(crate) fn network(&self) -> &M {
        &self.module
    }

    /// Lets every number follow: `decay * average + (1 - decay) * number`; the first step is taken over as it is.
    ///
    /// # Source
    /// Polyak and Juditsky 1992; PyTorch's `AveragedModel` with `get_ema_multi_avg_fn` and `use_buffers=True`.
    pub(crate) fn follow(&mut self, network: &M, step: u64) -> Result<(), Error> {
        let network = network.valid();
        if step <= 1 {
            self.module = network;
            return Ok(());
        }
        let mut numbers = Numbers::default();
        network.visit(&mut numbers);
        numbers.0.reverse();
        let mut following = Following { numbers: numbers.0, decay: self.decay, is_short: false };
        self.module = self.module.clone().map(&mut following);
        if following.is_short || !following.numbers.is_empty() {
            return Err(Error::Internal { what: "an average has other parameters than its network".into() });
        }
        Ok(())
    }
}

/// All numbers of a module, flattened, in the order of its parameters.
#[derive(Default)]
pub(crate) struct Numbers(pub(crate) Vec<Tensor<1>>);

impl ModuleVisitor for Numbers {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let count = tensor.shape().num_elements();
        self.0.push(tensor.reshape([count]));
    }
}

struct Following {
    /// The last parameter first.
    numbers: Vec<Tensor<1>>,
    decay: f64,
    is_short: bool,
}

impl ModuleMapper for Following {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(number) = self.numbers.pop() else {
            self.is_short = true;
            return param;
        };
        let decay = self.decay;
        param.map(|average| {
            let number = number.reshape(average.shape());
            average.mul_scalar(decay) + number.mul_scalar(1.0 - decay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{BatchNorm, BatchNormConfig};
    use burn::tensor::Device;

    fn numbers(module: &BatchNorm) -> Vec<f32> {
        let mut found = Numbers::default();
        module.visit(&mut found);
        Tensor::cat(found.0, 0).into_data().iter().collect()
    }

    #[test]
    fn weights_and_statistics_follow_and_the_network_is_left_alone() {
        let device = Device::flex().autodiff();
        let norm = BatchNormConfig::new(2).init(&device);
        let mut average = Average::new(&norm, 0.75);
        let mut expected = Vec::new();
        for step in 1..=4 {
            let batch = Tensor::<2>::from_floats([[step as f32, 1.0], [3.0, -2.0 * step as f32]], &device);
            drop(norm.forward(batch));
            let before = numbers(&norm.valid());
            average.follow(&norm, step).unwrap();
            assert_eq!(numbers(&norm.valid()), before);
            expected = match expected.is_empty() {
                true => before,
                false => expected.iter().zip(before).map(|(average, now)| 0.75 * average + 0.25 * now).collect(),
            };
        }
        let found = numbers(average.network());
        assert_eq!(found.len(), 8);
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} {expected:?}");
    }
}
