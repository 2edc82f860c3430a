//! Golden samples of the model card: inputs from a seed, and the outputs that they must give.

use crate::runtime::{Images, Output, Values};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The part of the card that is needed here.
#[derive(Deserialize)]
pub struct Card {
    pub input: Input,
    pub golden: Vec<Golden>,
}

#[derive(Deserialize)]
pub struct Input {
    pub name: String,
    pub dtype: String,
}

/// One batch, and what a model must answer.
#[derive(Deserialize)]
pub struct Golden {
    input: Made,
    outputs: BTreeMap<String, Tensor>,
}

/// An input: from a seed, or as it stands.
#[derive(Deserialize)]
#[serde(untagged)]
enum Made {
    Given(Tensor),
    Seeded { seed: u64, shape: Vec<usize>, low: f64, high: f64 },
}

/// Little-endian 32-bit floats in base64.
#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    data: String,
}

impl Tensor {
    fn values(&self) -> Result<Vec<f32>, String> {
        let bytes = STANDARD.decode(&self.data).map_err(|error| format!("the card: {error}"))?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
    }

    /// The largest absolute difference to what a runtime found.
    fn difference(&self, found: &Output) -> Result<f32, String> {
        let Output { name, shape, values } = found;
        if *shape != self.shape {
            return Err(format!("{name} has the shape {shape:?}, expected {:?}", self.shape));
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err(format!("{name} holds numbers that are not finite"));
        }
        let pairs = values.iter().zip(self.values()?);
        Ok(pairs.map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max))
    }
}

impl Golden {
    fn shape(&self) -> &[usize] {
        match &self.input {
            Made::Given(tensor) => &tensor.shape,
            Made::Seeded { shape, .. } => shape,
        }
    }

    /// The input, made as the card says.
    pub fn images(&self, input: &Input) -> Result<Images, String> {
        let values = match &self.input {
            Made::Given(tensor) => tensor.values()?,
            Made::Seeded { seed, low, high, .. } => {
                let count: usize = self.shape().iter().product();
                (0..count as u64).map(|i| (low + (high - low) * uniform(*seed, i)) as f32).collect()
            }
        };
        let values = match input.dtype.as_str() {
            "f32" => Values::F32(values),
            "u8" => Values::U8(values.into_iter().map(|value| value as u8).collect()),
            other => return Err(format!("inputs of {other} are not known here")),
        };
        Ok(Images { shape: self.shape().to_vec(), values })
    }

    /// The names of the outputs in their order in the graph, which is that of the alphabet: `embedding`, then `logits`.
    #[cfg(feature = "burn-onnx")]
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.outputs.keys()
    }

    /// The largest absolute difference of every output.
    pub fn errors(&self, found: &[Output]) -> Result<BTreeMap<&str, f32>, String> {
        let mut errors = BTreeMap::new();
        for (name, expected) in &self.outputs {
            let found = found.iter().find(|output| output.name == *name).ok_or_else(|| format!("{name} is missing"))?;
            errors.insert(name.as_str(), expected.difference(found)?);
        }
        Ok(errors)
    }
}

/// Element `i` of the card's generator, from 0 to 1.
fn uniform(seed: u64, i: u64) -> f64 {
    let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f64 / (1u64 << 24) as f64
}
