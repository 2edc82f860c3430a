//! Floating point numbers that are computed from the sizes, such as the length that a mean divides by.

use super::{Dim, Samples, Whole};

/// How far the numbers of the traces may be from the expression: they were rounded to 32 bits.
const TOLERANCE: f64 = 1e-6;

/// A function of `constant + coefficient · symbol`, or of a whole number of the sizes.
///
/// Of one symbol three sizes are recorded, and more where these show no expression: no other function passes all of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Formula {
    /// What the function is taken of.
    pub argument: Argument,
    /// The function.
    pub function: Function,
}

/// What a function is taken of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Argument {
    /// `constant + coefficient · symbol`.
    Sum {
        /// The constant part.
        constant: f64,
        /// The index of the symbol.
        symbol: usize,
        /// Its coefficient.
        coefficient: f64,
    },
    /// A whole number that follows several symbols, or one that is rounded down.
    Whole(Dim),
}

/// What a number is of its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// The argument itself.
    Identity,
    /// `1 / x`.
    Reciprocal,
    /// `√x`.
    Root,
    /// `1 / √x`.
    ReciprocalRoot,
    /// `ln x`.
    Logarithm,
}

impl Function {
    const ALL: [Self; 5] = [Self::Identity, Self::Reciprocal, Self::Root, Self::ReciprocalRoot, Self::Logarithm];

    fn of(self, argument: f64) -> f64 {
        match self {
            Self::Identity => argument,
            Self::Reciprocal => argument.recip(),
            Self::Root => argument.sqrt(),
            Self::ReciprocalRoot => argument.sqrt().recip(),
            Self::Logarithm => argument.ln(),
        }
    }

    /// The argument that gives this number.
    fn argument(self, value: f64) -> f64 {
        match self {
            Self::Identity => value,
            Self::Reciprocal => value.recip(),
            Self::Root => value * value,
            Self::ReciprocalRoot => (value * value).recip(),
            Self::Logarithm => value.exp(),
        }
    }
}

impl Formula {
    /// The expression behind what each trace showed, if there is one.
    pub fn of(samples: &Samples, observed: &[f64]) -> Option<Self> {
        Function::ALL.into_iter().find_map(|function| {
            let arguments: Vec<f64> = observed.iter().map(|value| function.argument(*value)).collect();
            let sums = sum(samples, &arguments).map(|sum| [rounded(sum), sum]).into_iter().flatten();
            let sums = sums.map(|(constant, symbol, coefficient)| Argument::Sum { constant, symbol, coefficient });
            let whole = whole(samples, &arguments).map(Argument::Whole);
            let mut formulas = sums.chain(whole).map(|argument| Self { argument, function });
            formulas.find(|formula| formula.holds(samples, observed))
        })
    }

    fn holds(&self, samples: &Samples, observed: &[f64]) -> bool {
        let Argument::Sum { constant, symbol, coefficient } = &self.argument else { return true };
        let near = |(sizes, value): (&Vec<usize>, &f64)| {
            let found = self.function.of(constant + coefficient * sizes[*symbol] as f64);
            (found - value).abs() <= TOLERANCE * value.abs()
        };
        samples.sizes().len() == observed.len() && samples.sizes().iter().zip(observed).all(near)
    }
}

/// The sum that the base sizes show, and those where the one symbol that matters is changed.
fn sum(samples: &Samples, values: &[f64]) -> Option<(f64, usize, f64)> {
    let (base, first) = (samples.sizes().first()?, values.first()?);
    let changed = values.get(1..=base.len())?;
    let symbol = changed.iter().position(|value| value != first)?;
    if changed[symbol + 1..].iter().any(|value| value != first) {
        return None;
    }
    let size = base[symbol] as f64;
    let coefficient = (changed[symbol] - first) / (samples.sizes().get(symbol + 1)?[symbol] as f64 - size);
    Some((first - coefficient * size, symbol, coefficient))
}

/// The same with fractions of small denominators, which the rounding of the numbers hides.
fn rounded((constant, symbol, coefficient): (f64, usize, f64)) -> (f64, usize, f64) {
    const DENOMINATORS: f64 = 5040.0;
    let round = |number: f64| (number * DENOMINATORS).round() / DENOMINATORS;
    (round(constant), symbol, round(coefficient))
}

/// The whole number that all values are but for their rounding.
fn whole(samples: &Samples, values: &[f64]) -> Option<Dim> {
    /// Above, the rounding to 32 bits hides which whole number it was.
    const LARGEST: f64 = 1e6;
    let near = |value: &f64| {
        let whole = value.round();
        (whole.abs() < LARGEST && (value - whole).abs() <= TOLERANCE * whole.abs()).then_some(whole as i64)
    };
    let wholes = values.iter().map(near).collect::<Option<Vec<i64>>>()?;
    match samples.fit(&wholes) {
        dim @ Dim::Affine(_) => Some(dim),
        dim @ Dim::Opaque(_) if Whole::of(samples, &wholes).is_some() => Some(dim),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_sizes_are_told_from_others() {
        let sparse = Samples::plan(&[[2, 3, 6], [5, 6, 10]]);
        let dense = Samples::dense(&[[2, 3, 6], [5, 6, 10]], 4);
        let sum = |constant, symbol, coefficient| Some(Argument::Sum { constant, symbol, coefficient });
        type Function = fn(f32, f32) -> f32;
        use super::Function as Of;
        let cases: [(Function, Of, Option<Argument>); 8] = [
            (|_, s| s, Of::Identity, sum(0.0, 1, 1.0)),
            (|_, s| 1.0 / s, Of::Reciprocal, sum(0.0, 1, 1.0)),
            (|b, _| 0.5 * b - 3.0, Of::Identity, sum(-3.0, 0, 0.5)),
            (|b, _| 1.0 / (3.0 * b + 1.0), Of::Reciprocal, sum(1.0, 0, 3.0)),
            (|_, s| 1.0 / (s / 3.0), Of::Reciprocal, sum(0.0, 1, 1.0 / 3.0)),
            (|_, s| s.sqrt(), Of::Root, sum(0.0, 1, 1.0)),
            (|_, s| 1.0 / (s + 1.0).sqrt(), Of::ReciprocalRoot, sum(1.0, 1, 1.0)),
            (|_, s| (s - 1.0).ln(), Of::Logarithm, sum(-1.0, 1, 1.0)),
        ];
        let observed = |samples: &Samples, function: Function| -> Vec<f64> {
            samples.sizes().iter().map(|sizes| f64::from(function(sizes[0] as f32, sizes[1] as f32))).collect()
        };
        for (index, (function, of, argument)) in cases.into_iter().enumerate() {
            let found = Formula::of(&sparse, &observed(&sparse, function));
            assert_eq!(found, argument.map(|argument| Formula { argument, function: of }), "case {index}");
        }
        let wholes: [(Function, Of); 3] = [
            (|b, s| b * s, Of::Identity),
            (|b, s| 1.0 / (b * s), Of::Reciprocal),
            (|b, s| 1.0 / (b * (s / 2.0).floor()).sqrt(), Of::ReciprocalRoot),
        ];
        for (index, (function, of)) in wholes.into_iter().enumerate() {
            let found = Formula::of(&dense, &observed(&dense, function));
            let is_whole = |it: Formula| it.function == of && matches!(it.argument, Argument::Whole(Dim::Opaque(_)));
            assert!(found.clone().is_some_and(is_whole), "whole number {index}: {found:?}");
            assert_eq!(Formula::of(&sparse, &observed(&sparse, function)), None, "whole number {index}");
        }
        // At the sparse sizes the reciprocal of the second looks like a sum.
        let others: [Function; 4] = [|_, s| s * s, |b, s| b / s, |_, s| s.cbrt(), |_, s| s.sin()];
        for (index, function) in others.into_iter().enumerate() {
            for samples in [&sparse, &dense] {
                assert_eq!(Formula::of(samples, &observed(samples, function)), None, "other {index}");
            }
        }
    }
}
