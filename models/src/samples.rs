//! Golden samples of a network: what Burn itself answers, to be reproduced by every runtime.

use crate::Error;
use crate::card::Input;
use crate::golden::{Algorithm, Generator, Golden, Values};
use crate::network::{Network, NetworkConfig};
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::BTreeMap;

/// Batch sizes of the golden samples.
pub const GOLDEN_BATCHES: [usize; 3] = [1, 2, 7];

/// Largest absolute difference that golden samples accept.
pub const GOLDEN_TOLERANCE: f32 = 1e-4;

/// Runs a network on the inputs of [`GOLDEN_BATCHES`] and keeps its answers. Inputs are uniform in [-2, 2), about what
/// normalised images hold.
///
/// # Errors
/// [`Error::Config`] when the network answers with numbers that are not finite.
pub fn record(network: &Network, config: &NetworkConfig, input: &Input, device: &Device) -> Result<Vec<Golden>, Error> {
    let sample = |batch: usize| {
        let shape = input.shape(batch);
        let generator = Generator {
            generator: Algorithm::SplitMix64Uniform,
            seed: batch as u64,
            shape: shape.to_vec(),
            low: -2.0,
            high: 2.0,
        };
        let images = Tensor::from_data(TensorData::new(generator.values(), shape), device);
        let outputs = config.outputs().into_iter().zip(network.forward(images)).map(|((name, _), tensor)| {
            let shape = tensor.dims();
            let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
            match values.iter().find(|value| !value.is_finite()) {
                Some(value) => Err(Error::Config { reason: format!("output {name:?} of the network is {value}") }),
                None => Ok((name.to_owned(), Values::pack(&shape, &values))),
            }
        });
        let outputs = outputs.collect::<Result<BTreeMap<_, _>, Error>>()?;
        Ok(Golden { input: generator, outputs, tolerance: GOLDEN_TOLERANCE })
    };
    GOLDEN_BATCHES.into_iter().map(sample).collect()
}
