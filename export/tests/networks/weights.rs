//! Weights that are the same on every machine, and statistics of batch normalisations that are not trivial.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Replaces every number of a module by a seeded one: vectors of ones, which scale, by numbers around one, other vectors
/// by small numbers, and weights by numbers that keep the spread of what goes through them.
pub fn drawn<M: Module>(module: M) -> M {
    module.map(&mut Draw(ChaCha8Rng::seed_from_u64(7)))
}

struct Draw(ChaCha8Rng);

impl ModuleMapper for Draw {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let dims = tensor.dims();
            let count: usize = dims.iter().product();
            let scales = D == 1 && tensor.to_data().iter::<f32>().all(|number| number == 1.0);
            let (middle, spread) = match (D, scales) {
                (1, true) => (1.0, 0.5),
                (1, false) => (0.0, 0.2),
                (2, _) => (0.0, (3.0 / dims[0] as f32).sqrt()),
                _ => (0.0, (3.0 * dims[0] as f32 / count as f32).sqrt().min(1.0)),
            };
            let mut draw = || middle + self.0.random_range(-spread..spread);
            let numbers: Vec<f32> = (0..count).map(|_| draw()).collect();
            Tensor::from_data(TensorData::new(numbers, dims), &tensor.device())
        })
    }
}
