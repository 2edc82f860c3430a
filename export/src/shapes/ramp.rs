//! Constants that count: `start, start + step, ...` up to a length that follows the dynamic sizes.

use burn::tensor::TensorData;

use super::{Dim, Samples};

/// A vector of integers in equal steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ramp {
    /// The first number.
    pub start: Dim,
    /// From one number to the next.
    pub step: i64,
    /// How many numbers there are.
    pub length: Dim,
}

impl Ramp {
    /// The ramp behind what a constant held in every trace, if there is one.
    pub fn of(samples: &Samples, traces: &[&TensorData]) -> Option<Self> {
        let (mut starts, mut lengths, mut step) = (vec![], vec![], None);
        for data in traces {
            let is_vector = data.shape().len() == 1 && (data.dtype().is_int() || data.dtype().is_uint());
            let numbers: Vec<i64> = if is_vector { data.iter::<i64>().collect() } else { return None };
            let steps = numbers.windows(2).map(|pair| pair[1].checked_sub(pair[0]));
            for found in steps {
                if *step.get_or_insert(found?) != found? {
                    return None;
                }
            }
            starts.push(*numbers.first()?);
            lengths.push(numbers.len() as i64);
        }
        let (start, length) = (samples.fit(&starts), samples.fit(&lengths));
        let known = |dim: &Dim| !matches!(dim, Dim::Opaque(_));
        (known(&start) && known(&length)).then_some(Self { start, step: step?, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_are_told_from_other_numbers() {
        let samples = Samples::plan(&[[2, 3, 5]]);
        let ramp = |start: i64, step: i64, length: i64| {
            TensorData::from((0..length).map(|index| start + step * index).collect::<Vec<i64>>().as_slice())
        };
        let symbol = || Dim::symbol(0);
        let cases = [
            (vec![ramp(0, 1, 2), ramp(0, 1, 3), ramp(0, 1, 5)], Some((Dim::Fixed(0), 1, symbol()))),
            (vec![ramp(2, -3, 2), ramp(3, -3, 3), ramp(5, -3, 5)], Some((symbol(), -3, symbol()))),
            (vec![ramp(0, 1, 2), ramp(0, 2, 3), ramp(0, 1, 5)], None),
            (vec![ramp(0, 1, 4), ramp(0, 1, 9), ramp(0, 1, 25)], None),
            (vec![TensorData::from([0i64, 1, 4]), ramp(0, 1, 3), ramp(0, 1, 5)], None),
            (vec![TensorData::from([0.0f32, 1.0]), ramp(0, 1, 3), ramp(0, 1, 5)], None),
        ];
        for (index, (traces, expected)) in cases.iter().enumerate() {
            let found = Ramp::of(&samples, &traces.iter().collect::<Vec<_>>());
            let found = found.map(|ramp| (ramp.start, ramp.step, ramp.length));
            assert_eq!(&found, expected, "case {index}");
        }
    }
}
