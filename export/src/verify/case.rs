//! What a model is asked, and what Burn answers.

use burn::tensor::TensorData;

use super::Tolerance;
use crate::{Model, Result};

/// Inputs, and what Burn gives for them, both in the order of the model.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the inputs are.
    pub kind: Kind,
    /// Inputs.
    pub inputs: Vec<TensorData>,
    /// Expected outputs.
    pub expected: Vec<TensorData>,
}

/// What the inputs of a case are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Numbers as a model expects them.
    #[default]
    Usual,
    /// Zeros in the place of all floats, which shows what is divided or normalised by nothing.
    Zeros,
    /// Floats a hundred times as large, which saturates what can be. The absolute part of a tolerance counts for their largest answer.
    Large,
}

impl Kind {
    /// The kinds at the edge of what a model expects.
    pub const EDGES: [Self; 2] = [Self::Zeros, Self::Large];

    fn factor(self) -> f64 {
        match self {
            Self::Usual => 1.0,
            Self::Zeros => 0.0,
            Self::Large => 100.0,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Usual => "usual",
            Self::Zeros => "zeros",
            Self::Large => "large",
        })
    }
}

impl Case {
    /// A case of usual inputs.
    pub fn new(inputs: Vec<TensorData>, expected: Vec<TensorData>) -> Self {
        Self { kind: Kind::Usual, inputs, expected }
    }

    /// The tolerance for this case.
    pub(super) fn tolerance(&self, usual: Tolerance) -> Tolerance {
        if self.kind != Kind::Large {
            return usual;
        }
        let numbers = self.expected.iter().flat_map(|data| data.iter::<f64>()).filter(|number| number.is_finite());
        let largest = numbers.fold(1.0f64, |largest, number| largest.max(number.abs()));
        Tolerance { absolute: usual.absolute * largest, ..usual }
    }
}

impl Model {
    /// The kinds at the edge at which the model has one right answer: none where it orders what it computes, for of equal numbers
    /// any may come first.
    pub fn edges(&self) -> &'static [Kind] {
        match self.graph().nodes.iter().any(|node| matches!(node.op.as_str(), "TopK" | "ArgMax" | "ArgMin")) {
            true => &[],
            false => &Kind::EDGES,
        }
    }

    /// Seeded inputs of one kind at the given sizes of the dynamic axes. Integers and booleans are the same for every kind.
    ///
    /// # Errors
    /// As [`Model::random_inputs`].
    pub fn inputs_of(&self, kind: Kind, sizes: &[(&str, usize)], seed: u64) -> Result<Vec<TensorData>> {
        let scaled = |data: TensorData| match data.dtype().is_float() && kind != Kind::Usual {
            true => {
                let values: Vec<f64> = data.iter::<f64>().map(|value| value * kind.factor()).collect();
                TensorData::new(values, data.shape().clone()).convert_dtype(data.dtype())
            }
            false => data,
        };
        Ok(self.random_inputs(sizes, seed)?.into_iter().map(scaled).collect())
    }
}
