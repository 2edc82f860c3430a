//! Golden samples: inputs that any language can make from a seed, and the outputs that they must give.
//!
//! Element `i` of the input is `low + (high - low) * (splitmix64(seed + i * 0x9E3779B97F4A7C15) >> 40) / 2^24`, all in
//! 64-bit floats and rounded to 32 bits at the end, where `splitmix64` is the finaliser of Steele, Lea and Flood 2014
//! after one increment. A model that takes bytes gets them rounded down.

use crate::Error;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// One batch from a seed and what the model must answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// How the input is made.
    pub input: Generator,
    /// Expected outputs by their name in the graph.
    pub outputs: BTreeMap<String, Values>,
    /// Largest absolute difference that is accepted.
    pub tolerance: f32,
}

/// An input made from a seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// The algorithm.
    pub generator: Algorithm,
    /// Its seed.
    pub seed: u64,
    /// Shape of the input.
    pub shape: Vec<usize>,
    /// Smallest value.
    pub low: f64,
    /// Bound of the largest value, not reached.
    pub high: f64,
}

/// How golden inputs are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// Uniform numbers of 24 bits from splitmix64, see the module's page.
    #[serde(rename = "splitmix64-uniform")]
    SplitMix64Uniform,
}

/// A tensor in a card: shape and little-endian 32-bit floats in base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// Row-major values, little-endian f32, base64 with padding.
    pub data: String,
}

impl Generator {
    /// The input, row-major.
    pub fn values(&self) -> Vec<f32> {
        let count: usize = self.shape.iter().product();
        (0..count as u64)
            .map(|i| {
                let bits = splitmix64(self.seed.wrapping_add(i.wrapping_mul(GAMMA))) >> 40;
                (self.low + (self.high - self.low) * (bits as f64 / (1u64 << 24) as f64)) as f32
            })
            .collect()
    }
}

fn splitmix64(state: u64) -> u64 {
    let mut z = state.wrapping_add(GAMMA);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Values {
    /// Packs a tensor.
    pub fn pack(shape: &[usize], values: &[f32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { shape: shape.to_vec(), data: STANDARD.encode(bytes) }
    }

    /// Unpacks the values.
    ///
    /// # Errors
    /// [`Error::Card`] when the text is not base64 or its length does not fit the shape.
    pub fn unpack(&self) -> Result<Vec<f32>, Error> {
        let bytes = STANDARD
            .decode(&self.data)
            .map_err(|error| Error::Card { reason: format!("golden values are not base64: {error}") })?;
        let expected = self.shape.iter().product::<usize>() * size_of::<f32>();
        if bytes.len() != expected {
            let reason = format!("golden values have {} bytes, shape {:?} wants {expected}", bytes.len(), self.shape);
            return Err(Error::Card { reason });
        }
        let (chunks, _) = bytes.as_chunks::<4>();
        Ok(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
    }
}

impl Golden {
    /// Compares one output with what is expected and returns the largest absolute difference.
    ///
    /// # Errors
    /// [`Error::Golden`] names the output and says what differs: shape, value or a number that is not finite.
    pub fn compare(&self, name: &str, shape: &[usize], values: &[f32]) -> Result<f32, Error> {
        let wrong = |reason: String| Err(Error::Golden { output: name.to_owned(), reason });
        let Some(expected) = self.outputs.get(name) else {
            return wrong("it is not among the golden outputs".into());
        };
        if expected.shape != shape {
            return wrong(format!("its shape is {shape:?}, expected {:?}", expected.shape));
        }
        let expected = expected.unpack()?;
        let mut largest = 0.0f32;
        for (index, (found, wanted)) in values.iter().zip(&expected).enumerate() {
            let difference = (found - wanted).abs();
            if difference.is_nan() || difference > self.tolerance {
                let Self { tolerance, .. } = self;
                return wrong(format!("element {index} is {found}, expected {wanted} within {tolerance}"));
            }
            largest = largest.max(difference);
        }
        Ok(largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(values: &[f32]) -> Golden {
        Golden {
            input: Generator {
                generator: Algorithm::SplitMix64Uniform,
                seed: 7,
                shape: vec![2, 3],
                low: -1.0,
                high: 1.0,
            },
            outputs: BTreeMap::from([("y".to_owned(), Values::pack(&[2], values))]),
            tolerance: 1e-4,
        }
    }

    #[test]
    fn splitmix64_gives_the_published_sequence() {
        // The first outputs for seed 1234567 of the reference implementation by Vigna.
        let expected = [6457827717110365317u64, 3203168211198807973, 9817491932198370423];
        for (i, expected) in expected.into_iter().enumerate() {
            assert_eq!(splitmix64(1234567u64.wrapping_add((i as u64).wrapping_mul(GAMMA))), expected);
        }
    }

    #[test]
    fn inputs_are_within_bounds_and_differ_by_seed() {
        let mut golden = golden(&[0.0, 0.0]);
        let first = golden.input.values();
        assert_eq!(first.len(), 6);
        assert!(first.iter().all(|value| (-1.0..1.0).contains(value)));
        golden.input.seed = 8;
        assert_ne!(first, golden.input.values());
    }

    #[test]
    fn a_difference_a_shape_and_a_nan_are_noticed() {
        let golden = golden(&[1.0, 2.0]);
        assert_eq!(golden.compare("y", &[2], &[1.0, 2.0]).unwrap(), 0.0);
        for (shape, values) in [(vec![2], [1.0, 2.1]), (vec![1, 2], [1.0, 2.0]), (vec![2], [f32::NAN, 2.0])] {
            assert!(golden.compare("y", &shape, &values).is_err(), "{shape:?} {values:?}");
        }
        assert!(golden.compare("z", &[2], &[1.0, 2.0]).is_err());
    }
}
