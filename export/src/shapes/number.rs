//! Floating point numbers that are computed from a size, such as the length that a mean divides by.

use super::Samples;

/// How far the numbers of the traces may be from the expression: they were rounded to 32 bits.
const TOLERANCE: f64 = 1e-6;

/// `constant + coefficient · symbol`, or one divided by it.
///
/// Of one symbol three sizes are recorded: no root, logarithm or power passes all three.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Formula {
    /// The constant part.
    pub constant: f64,
    /// The index of the symbol.
    pub symbol: usize,
    /// Its coefficient.
    pub coefficient: f64,
    /// Whether the number is one divided by the sum.
    pub reciprocal: bool,
}

impl Formula {
    /// The expression behind what each trace showed, if there is one.
    pub fn of(samples: &Samples, observed: &[f64]) -> Option<Self> {
        let inverse: Vec<f64> = observed.iter().map(|value| value.recip()).collect();
        let fits = |reciprocal: bool, values: &[f64]| {
            let sum = Self { reciprocal, ..Self::sum(samples, values)? };
            [sum.rounded(), sum].into_iter().find(|formula| formula.holds(samples, observed))
        };
        fits(false, observed).or_else(|| fits(true, &inverse))
    }

    /// The sum that the base sizes show, and those where the one symbol that matters is changed.
    fn sum(samples: &Samples, values: &[f64]) -> Option<Self> {
        let (base, first) = (samples.sizes().first()?, values.first()?);
        let changed = values.get(1..=base.len())?;
        let symbol = changed.iter().position(|value| value != first)?;
        if changed[symbol + 1..].iter().any(|value| value != first) {
            return None;
        }
        let size = base[symbol] as f64;
        let coefficient = (changed[symbol] - first) / (samples.sizes().get(symbol + 1)?[symbol] as f64 - size);
        Some(Self { constant: first - coefficient * size, symbol, coefficient, reciprocal: false })
    }

    /// The same with fractions of small denominators, which the rounding of the numbers hides.
    fn rounded(self) -> Self {
        const DENOMINATORS: f64 = 5040.0;
        let round = |number: f64| (number * DENOMINATORS).round() / DENOMINATORS;
        Self { constant: round(self.constant), coefficient: round(self.coefficient), ..self }
    }

    fn holds(&self, samples: &Samples, observed: &[f64]) -> bool {
        let near = |(sizes, value): (&Vec<usize>, &f64)| {
            let sum = self.constant + self.coefficient * sizes[self.symbol] as f64;
            let found = if self.reciprocal { sum.recip() } else { sum };
            (found - value).abs() <= TOLERANCE * value.abs()
        };
        samples.sizes().len() == observed.len() && samples.sizes().iter().zip(observed).all(near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_size_are_told_from_others() {
        let samples = Samples::plan(&[[2, 3, 6], [5, 6, 10]]);
        let formula =
            |constant, symbol, coefficient, reciprocal| Some(Formula { constant, symbol, coefficient, reciprocal });
        type Function = fn(f32, f32) -> f32;
        let cases: [(Function, Option<Formula>); 9] = [
            (|_, s| s, formula(0.0, 1, 1.0, false)),
            (|_, s| 1.0 / s, formula(0.0, 1, 1.0, true)),
            (|b, _| 0.5 * b - 3.0, formula(-3.0, 0, 0.5, false)),
            (|b, _| 1.0 / (3.0 * b + 1.0), formula(1.0, 0, 3.0, true)),
            (|_, s| 1.0 / (s / 3.0), formula(0.0, 1, 1.0 / 3.0, true)),
            (|_, s| s.sqrt(), None),
            (|_, s| s * s, None),
            (|b, s| b * s, None),
            // At these sizes its reciprocal looks like a sum.
            (|b, s| b / s, None),
        ];
        for (index, (function, expected)) in cases.into_iter().enumerate() {
            let observed = samples.sizes().iter().map(|sizes| f64::from(function(sizes[0] as f32, sizes[1] as f32)));
            assert_eq!(Formula::of(&samples, &observed.collect::<Vec<_>>()), expected, "case {index}");
        }
    }
}
