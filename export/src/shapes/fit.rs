//! Anti-unification of integers: what the traces showed becomes one expression.

use std::collections::BTreeMap;

use super::{Affine, Dim};

/// The sizes of the symbols in every trace.
///
/// Trace 0 has the base sizes, trace `1 + i` changes symbol `i` alone, and one that changes all of them again proves that
/// the fit is not an accident. Dense samples go on with runs of sizes of each symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    sizes: Vec<Vec<usize>>,
    dense: bool,
}

impl Samples {
    /// Plans the traces from three different sizes of every symbol.
    pub fn plan(symbols: &[[usize; 3]]) -> Self {
        let base: Vec<usize> = symbols.iter().map(|sizes| sizes[0]).collect();
        let mut sizes = vec![base.clone()];
        for (index, choice) in symbols.iter().enumerate() {
            let mut changed = base.clone();
            changed[index] = choice[1];
            sizes.push(changed);
        }
        if !symbols.is_empty() {
            sizes.push(symbols.iter().map(|sizes| sizes[2]).collect());
        }
        Self { sizes, dense: false }
    }

    /// The same, and of each symbol as many sizes in a row as `run` says, one far behind them, and all symbols at sizes
    /// of their own once more. The steps of the row are those in which the three sizes can be reached.
    pub fn dense(symbols: &[[usize; 3]], run: usize) -> Self {
        let Self { mut sizes, .. } = Self::plan(symbols);
        let base: Vec<usize> = symbols.iter().map(|sizes| sizes[0]).collect();
        let steps: Vec<usize> = symbols.iter().map(|[a, b, c]| gcd_of(a.abs_diff(*b), a.abs_diff(*c)).max(1)).collect();
        for (index, step) in steps.iter().enumerate() {
            for count in (1..=run).chain([3 * run + 1]) {
                let mut changed = base.clone();
                changed[index] += count * step;
                sizes.push(changed);
            }
        }
        // Different symbols make different steps, all of which their rows hold.
        sizes.push((0..base.len()).map(|index| base[index] + steps[index] * (1 + (index + 1) % run.max(1))).collect());
        Self { sizes, dense: true }
    }

    /// Whether runs of sizes were recorded.
    pub(crate) fn is_dense(&self) -> bool {
        self.dense
    }

    /// The sizes of the symbols, one list a trace.
    pub fn sizes(&self) -> &[Vec<usize>] {
        &self.sizes
    }

    /// Finds the expression behind the numbers the traces showed.
    pub fn fit(&self, observed: &[i64]) -> Dim {
        match observed {
            [] => Dim::Opaque(vec![]),
            [first, rest @ ..] if rest.iter().all(|value| value == first) => Dim::Fixed(*first),
            _ => self.fit_affine(observed).map_or_else(|| Dim::Opaque(observed.to_vec()), Dim::Affine),
        }
    }

    fn fit_affine(&self, observed: &[i64]) -> Option<Affine> {
        let base = self.sizes.first()?;
        let mut fractions = Vec::new();
        let mut divisor = 1i64;
        for (symbol, size) in base.iter().enumerate() {
            let step = *self.sizes.get(symbol + 1)?.get(symbol)? as i64 - *size as i64;
            let change = observed.get(symbol + 1)? - observed[0];
            let shared = gcd(step, change).max(1);
            let (numerator, denominator) = (change / shared * step.signum(), step.abs() / shared);
            divisor = divisor / gcd(divisor, denominator).max(1) * denominator;
            fractions.push((numerator, denominator));
        }
        let terms: BTreeMap<usize, i64> = fractions
            .iter()
            .map(|(numerator, denominator)| numerator * (divisor / denominator))
            .enumerate()
            .filter(|(_, coefficient)| *coefficient != 0)
            .collect();
        let at_base: i64 = terms.iter().map(|(symbol, coefficient)| coefficient * base[*symbol] as i64).sum();
        let affine = Affine { constant: observed[0] * divisor - at_base, terms, divisor };
        let affine = lowest_terms(affine);
        let holds = |(sizes, value): (&Vec<usize>, &i64)| {
            Dim::Affine(affine.clone()).evaluate(sizes).is_some_and(|found| found == *value)
        };
        self.sizes.iter().zip(observed).all(holds).then_some(affine)
    }
}

fn lowest_terms(mut affine: Affine) -> Affine {
    let shared = affine.terms.values().fold(gcd(affine.constant, affine.divisor), |shared, value| gcd(shared, *value));
    if shared > 1 {
        affine.constant /= shared;
        affine.divisor /= shared;
        affine.terms.values_mut().for_each(|value| *value /= shared);
    }
    affine
}

fn gcd_of(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd_of(b, a % b) }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shapes::Symbol;

    #[test]
    fn observed_numbers_become_expressions() {
        let symbols: Vec<Symbol> =
            ["b", "s"].iter().map(|name| Symbol { name: name.to_string(), input: 0, axis: 0 }).collect();
        let samples = Samples::plan(&[[2, 3, 5], [8, 10, 14]]);
        type Function = fn(i64, i64) -> i64;
        let cases: [(Function, &str); 7] = [
            (|_, _| 7, "7"),
            (|b, _| b, "b"),
            (|b, _| 4 * b + 1, "4*b + 1"),
            (|b, s| b + s - 3, "b + s + -3"),
            (|_, s| s / 2, "(s)/2"),
            (|b, s| b * s, "?"),
            (|b, _| (b + 1) / 2, "?"),
        ];
        for (index, (function, expected)) in cases.iter().enumerate() {
            let observed: Vec<i64> = samples.sizes().iter().map(|s| function(s[0] as i64, s[1] as i64)).collect();
            assert_eq!(samples.fit(&observed).text(&symbols), *expected, "case {index}: {observed:?}");
        }
    }

    proptest! {
        #[test]
        fn an_affine_function_is_found_and_predicts_other_sizes(a in -9i64..9, b in -9i64..9, c in -50i64..50, x in 1usize..40, y in 1usize..40) {
            let samples = Samples::plan(&[[2, 3, 5], [8, 11, 15]]);
            let function = |sizes: &[usize]| a * sizes[0] as i64 + b * sizes[1] as i64 + c;
            let observed: Vec<i64> = samples.sizes().iter().map(|sizes| function(sizes)).collect();
            prop_assert_eq!(samples.fit(&observed).evaluate(&[x, y]), Some(function(&[x, y])));
        }
    }
}
