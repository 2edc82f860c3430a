//! Constants that count: `start, start + step, ...` up to a length that follows the dynamic sizes.

use burn::tensor::TensorData;

use super::{Dim, Formula, Samples};

/// How far a floating point number may be from the equal steps, as a part of the largest: they were rounded to 32 bits.
const TOLERANCE: f64 = 1e-6;

/// Numbers in equal steps along one axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ramp {
    /// How many axes the tensor has, all but one of size 1.
    pub rank: usize,
    /// The axis along which the numbers lie.
    pub axis: usize,
    /// How many numbers there are.
    pub length: Dim,
    /// The first number, and from one to the next.
    pub steps: Steps,
}

/// Where a ramp starts, and how it goes on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Steps {
    /// In integers.
    Whole {
        /// The first number.
        start: Dim,
        /// From one number to the next.
        step: i64,
    },
    /// In floating point numbers.
    Real {
        /// The first number.
        start: Real,
        /// From one number to the next.
        step: Real,
    },
}

/// A floating point number that may follow the sizes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Real {
    /// The same at every size.
    Fixed(f64),
    /// An expression of the sizes.
    Formula(Formula),
}

impl Ramp {
    /// The ramp behind what a constant held in every trace, if there is one.
    pub fn of(samples: &Samples, traces: &[&TensorData]) -> Option<Self> {
        let first = traces.first()?;
        let rank = first.shape().len();
        let long = |data: &&TensorData| (0..rank).find(|axis| data.shape().get(*axis).is_some_and(|size| *size != 1));
        let axis = traces.iter().find_map(long).unwrap_or_default();
        let along = |data: &&TensorData| {
            let others = data.shape().iter().enumerate().all(|(at, size)| at == axis || *size == 1);
            data.shape().len() == rank && others && data.dtype() == first.dtype() && !data.shape().contains(&0)
        };
        if rank == 0 || !traces.iter().all(along) {
            return None;
        }
        let lengths: Vec<i64> = traces.iter().map(|data| data.shape()[axis] as i64).collect();
        let steps = match first.dtype() {
            dtype if dtype.is_float() => real(samples, traces)?,
            dtype if dtype.is_int() || dtype.is_uint() => whole(samples, traces)?,
            _ => return None,
        };
        Some(Self { rank, axis, length: samples.fit(&lengths), steps })
    }
}

fn whole(samples: &Samples, traces: &[&TensorData]) -> Option<Steps> {
    let (mut starts, mut step) = (vec![], None);
    for data in traces {
        let numbers: Vec<i64> = data.iter::<i64>().collect();
        for found in numbers.windows(2).map(|pair| pair[1].checked_sub(pair[0])) {
            if *step.get_or_insert(found?) != found? {
                return None;
            }
        }
        starts.push(*numbers.first()?);
    }
    Some(Steps::Whole { start: samples.fit(&starts), step: step.unwrap_or(1) })
}

fn real(samples: &Samples, traces: &[&TensorData]) -> Option<Steps> {
    let (mut starts, mut steps) = (vec![], vec![]);
    for data in traces {
        let numbers: Vec<f64> = data.iter::<f64>().collect();
        let (first, last) = (*numbers.first()?, *numbers.last()?);
        let step = if numbers.len() == 1 { 0.0 } else { (last - first) / (numbers.len() - 1) as f64 };
        let allowed = TOLERANCE * first.abs().max(last.abs());
        let near = |(index, number): (usize, &f64)| (first + step * index as f64 - number).abs() <= allowed;
        if !numbers.iter().enumerate().all(near) {
            return None;
        }
        starts.push(first);
        steps.push(step);
    }
    let real = |numbers: &[f64]| match numbers {
        [first, rest @ ..] if rest.iter().all(|number| (number - first).abs() <= TOLERANCE * first.abs()) => {
            Some(Real::Fixed(*first))
        }
        _ => Formula::of(samples, numbers).map(Real::Formula),
    };
    Some(Steps::Real { start: real(&starts)?, step: real(&steps)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes::{Argument, Function};

    #[test]
    fn ramps_are_told_from_other_numbers() {
        let samples = Samples::plan(&[[2, 3, 5]]);
        let ramp = |start: i64, step: i64, length: i64| {
            TensorData::from((0..length).map(|index| start + step * index).collect::<Vec<i64>>().as_slice())
        };
        let symbol = || Dim::symbol(0);
        let known = |start, step, length| Some((length, Steps::Whole { start, step }));
        let cases = [
            (vec![ramp(0, 1, 2), ramp(0, 1, 3), ramp(0, 1, 5)], known(Dim::Fixed(0), 1, symbol())),
            (vec![ramp(2, -3, 2), ramp(3, -3, 3), ramp(5, -3, 5)], known(symbol(), -3, symbol())),
            (vec![ramp(2, 1, 1), ramp(3, 1, 1), ramp(5, 1, 1)], known(symbol(), 1, Dim::Fixed(1))),
            (vec![ramp(0, 1, 4), ramp(0, 1, 9), ramp(0, 1, 25)], known(Dim::Fixed(0), 1, Dim::Opaque(vec![4, 9, 25]))),
            (vec![ramp(0, 1, 2), ramp(0, 2, 3), ramp(0, 1, 5)], None),
            (vec![TensorData::from([0i64, 1, 4]), ramp(0, 1, 3), ramp(0, 1, 5)], None),
        ];
        for (index, (traces, expected)) in cases.iter().enumerate() {
            let found = Ramp::of(&samples, &traces.iter().collect::<Vec<_>>());
            assert_eq!(&found.map(|ramp| (ramp.length, ramp.steps)), expected, "case {index}");
        }
    }

    #[test]
    fn floats_in_equal_steps_lie_along_one_axis() {
        let samples = Samples::plan(&[[4, 5, 9]]);
        let traces = |function: fn(f32, f32) -> f32| -> Vec<TensorData> {
            let numbers = |size: usize| (0..size).map(|at| function(at as f32, size as f32)).collect::<Vec<f32>>();
            [4, 5, 9].map(|size| TensorData::new(numbers(size), [1, size, 1])).to_vec()
        };
        let found = |function| Ramp::of(&samples, &traces(function).iter().collect::<Vec<_>>());
        let fixed = Real::Fixed;
        let sum = |constant, function| {
            let argument = Argument::Sum { constant, symbol: 0, coefficient: 1.0 };
            Real::Formula(Formula { argument, function })
        };
        let real =
            |start, step| Some(Ramp { rank: 3, axis: 1, length: Dim::symbol(0), steps: Steps::Real { start, step } });
        assert_eq!(found(|at, _| at), real(fixed(0.0), fixed(1.0)));
        assert_eq!(found(|at, size| at / size), real(fixed(0.0), sum(0.0, Function::Reciprocal)));
        assert_eq!(found(|at, size| 1.0 + at / (size - 1.0)), real(fixed(1.0), sum(-1.0, Function::Reciprocal)));
        assert_eq!(found(|at, _| at * at), None);
        assert_eq!(found(|at, size| at / size.cbrt()), None);
    }
}
