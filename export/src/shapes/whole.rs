//! Whole numbers of sizes that are divided and rounded down, such as the output of a convolution with a stride, and of
//! products of sizes, such as the number of pixels.
//!
//! They are only looked for where runs of consecutive sizes are recorded, two periods of the division and a size far
//! behind them: what fits all of these is no accident.

use super::Samples;

/// `linear · s + constant + factor · ⌊(scale · s + shift) / divisor⌋` of the size `s` of one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Floor {
    /// The index of the symbol.
    pub symbol: usize,
    /// The multiple of the size itself.
    pub linear: i64,
    /// What is added.
    pub constant: i64,
    /// The multiple of the quotient; 0 where there is none.
    pub factor: i64,
    /// The multiple of the size that is divided.
    pub scale: i64,
    /// What is added before the division.
    pub shift: i64,
    /// The positive divisor.
    pub divisor: i64,
}

/// `constant + scale · Π parts`, or `constant + Σ parts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// What is added.
    pub constant: i64,
    /// What the product is multiplied with; 1 for a sum.
    pub scale: i64,
    /// Numbers of one symbol each.
    pub parts: Vec<Floor>,
    /// Whether the parts are multiplied.
    pub product: bool,
}

/// A size and a number.
type Point = (i64, i64);

impl Whole {
    /// The expression behind what each trace showed, if there is one.
    pub fn of(samples: &Samples, observed: &[i64]) -> Option<Self> {
        if !samples.is_dense() || observed.len() != samples.sizes().len() {
            return None;
        }
        let mut symbols: Vec<(usize, Vec<Point>)> = vec![];
        for symbol in 0..samples.sizes()[0].len() {
            let points = alone(samples, observed, symbol);
            if points.iter().any(|(_, value)| *value != observed[0]) {
                symbols.push((symbol, points));
            }
        }
        let sum = || Self::sum(samples, observed, &symbols);
        let product = |constant: i64| Self::product(samples, observed, &symbols, constant);
        let found = sum().or_else(|| product(0)).or_else(|| product(constant(samples, observed, &symbols)?))?;
        let holds = |(sizes, value): (&Vec<usize>, &i64)| found.evaluate(sizes) == Some(*value);
        samples.sizes().iter().zip(observed).all(holds).then_some(found)
    }

    fn sum(samples: &Samples, observed: &[i64], symbols: &[(usize, Vec<Point>)]) -> Option<Self> {
        let parts: Vec<Floor> =
            symbols.iter().map(|(symbol, points)| Floor::of(*symbol, points)).collect::<Option<_>>()?;
        let base: i64 = parts.iter().map(|part| part.at(&samples.sizes()[0])).sum::<Option<i64>>()?;
        let sum = Self { constant: observed[0] - base, scale: 1, parts, product: false };
        let holds = |(sizes, value): (&Vec<usize>, &i64)| sum.evaluate(sizes) == Some(*value);
        samples.sizes().iter().zip(observed).all(holds).then_some(sum)
    }

    fn product(samples: &Samples, observed: &[i64], symbols: &[(usize, Vec<Point>)], constant: i64) -> Option<Self> {
        let mut parts = Vec::with_capacity(symbols.len());
        for (symbol, points) in symbols {
            let points: Vec<Point> = points.iter().map(|(size, value)| (*size, value - constant)).collect();
            parts.push(Floor::of(*symbol, &points)?.primitive());
        }
        let base: i64 = parts.iter().map(|part| part.at(&samples.sizes()[0])).product::<Option<i64>>()?;
        let rest = observed[0] - constant;
        let scale = rest.checked_rem(base).filter(|left| *left == 0).map(|_| rest / base)?;
        let product = Self { constant, scale, parts, product: true };
        let holds = |(sizes, value): (&Vec<usize>, &i64)| product.evaluate(sizes) == Some(*value);
        samples.sizes().iter().zip(observed).all(holds).then_some(product)
    }

    fn evaluate(&self, sizes: &[usize]) -> Option<i64> {
        let mut parts = self.parts.iter().map(|part| part.at(sizes));
        let joined = match self.product {
            true => parts.try_fold(self.scale, |product, part| product.checked_mul(part?))?,
            false => parts.try_fold(0i64, |sum, part| sum.checked_add(part?))?,
        };
        self.constant.checked_add(joined)
    }
}

/// What a symbol does alone, by its size.
fn alone(samples: &Samples, observed: &[i64], symbol: usize) -> Vec<Point> {
    let base = &samples.sizes()[0];
    let others = |sizes: &Vec<usize>| sizes.iter().zip(base).enumerate().all(|(at, (a, b))| at == symbol || a == b);
    let traces = samples.sizes().iter().zip(observed).filter(|(sizes, _)| others(sizes));
    let mut points: Vec<Point> = traces.map(|(sizes, value)| (sizes[symbol] as i64, *value)).collect();
    points.sort_unstable();
    points.dedup();
    points
}

/// What is added to a product of two symbols: with `f = c + p(a) · q(b)`, and `f₀` at the base sizes,
/// `(f - c) · (f₀ - c) = (f(a, b₀) - c) · (f(a₀, b) - c)`.
fn constant(samples: &Samples, observed: &[i64], symbols: &[(usize, Vec<Point>)]) -> Option<i64> {
    let [(a, along_a), (b, along_b)] = symbols else { return None };
    let at = |points: &[Point], size: usize| points.iter().find(|point| point.0 == size as i64).map(|point| point.1);
    let base = observed[0];
    samples.sizes().iter().zip(observed).find_map(|(sizes, value)| {
        let (left, right) = (at(along_a, sizes[*a])?, at(along_b, sizes[*b])?);
        let (above, below) = (value * base - left * right, value + base - left - right);
        (below != 0 && above % below == 0).then(|| above / below)
    })
}

impl Floor {
    /// The expression behind points, of which the first ones follow each other in equal steps.
    fn of(symbol: usize, points: &[Point]) -> Option<Self> {
        let step = points.get(1)?.0 - points.first()?.0;
        let run = points.windows(2).take_while(|pair| pair[1].0 - pair[0].0 == step).count() + 1;
        let run = &points[..run];
        (1..=run.len() / 2).find_map(|period| {
            let mut rises = run.iter().zip(&run[period..]).map(|(a, b)| b.1 - a.1);
            let rise = rises.next()?;
            let length = period as i64 * step;
            if !rises.all(|other| other == rise) {
                return None;
            }
            Self::quotient(symbol, points, rise, length).or_else(|| Self::stairs(symbol, points, run, rise, length))
        })
    }

    /// `⌊(scale · s + shift) / divisor⌋`.
    fn quotient(symbol: usize, points: &[Point], rise: i64, length: i64) -> Option<Self> {
        let shared = gcd(rise, length);
        let (scale, divisor) = (rise / shared, length / shared);
        let lowest = points.iter().map(|(size, value)| value * divisor - scale * size).max()?;
        let above = points.iter().map(|(size, value)| (value + 1) * divisor - scale * size).min()?;
        let shift = if above > 0 { lowest.max(0) } else { above - 1 };
        let part = match divisor {
            1 => Self { symbol, linear: scale, constant: shift, factor: 0, scale: 1, shift: 0, divisor: 1 },
            _ => Self { symbol, linear: 0, constant: 0, factor: 1, scale, shift, divisor },
        };
        (lowest < above).then_some(part)
    }

    /// `linear · s + constant + factor · ⌊(s + shift) / length⌋`.
    fn stairs(symbol: usize, points: &[Point], run: &[Point], rise: i64, length: i64) -> Option<Self> {
        let mut slopes: Vec<i64> =
            run.windows(2).map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0)).collect();
        slopes.push(0);
        slopes.sort_unstable_by_key(|slope| (slope.abs(), *slope));
        slopes.dedup();
        let mut candidates = slopes.into_iter().flat_map(|linear| (0..length).map(move |shift| (linear, shift)));
        let (first, value) = *points.first()?;
        candidates.find_map(|(linear, shift)| {
            let part =
                Self { symbol, linear, constant: 0, factor: rise - linear * length, scale: 1, shift, divisor: length };
            let part = Self { constant: value - part.value(first)?, ..part };
            points.iter().all(|(size, value)| part.value(*size) == Some(*value)).then_some(part)
        })
    }

    fn at(&self, sizes: &[usize]) -> Option<i64> {
        self.value(i64::try_from(*sizes.get(self.symbol)?).ok()?)
    }

    fn value(&self, size: i64) -> Option<i64> {
        let quotient = self.scale.checked_mul(size)?.checked_add(self.shift)?.div_euclid(self.divisor);
        let stairs = self.factor.checked_mul(quotient)?;
        self.linear.checked_mul(size)?.checked_add(stairs)?.checked_add(self.constant)
    }

    /// The same without a common factor.
    fn primitive(self) -> Self {
        let shared = gcd(gcd(self.linear, self.constant), self.factor).max(1);
        let Self { linear, constant, factor, .. } = self;
        Self { linear: linear / shared, constant: constant / shared, factor: factor / shared, ..self }
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(samples: &Samples, function: impl Fn(i64, i64) -> i64) -> Option<Whole> {
        let observed: Vec<i64> = samples.sizes().iter().map(|s| function(s[0] as i64, s[1] as i64)).collect();
        Whole::of(samples, &observed)
    }

    #[test]
    fn quotients_and_products_are_told_from_other_numbers() {
        let samples = Samples::dense(&[[8, 9, 16], [5, 6, 10]], 16);
        type Function = fn(i64, i64) -> i64;
        let cases: [(&str, Function, bool); 16] = [
            ("half", |h, _| h / 2, true),
            ("half, rounded up, plus the other", |h, w| (h + 1) / 2 + w, true),
            ("a convolution of a convolution", |h, _| ((h - 1) / 2 + 1 - 3) / 2 + 1, true),
            ("what is left to a multiple of four", |h, _| (4 - h % 4) % 4, true),
            ("the next multiple of eight", |h, _| h.div_euclid(8) * 8 + 8, true),
            ("a third more", |h, _| h * 4 / 3, true),
            ("pixels", |h, w| h * w, true),
            ("pixels of halves", |h, w| 3 * (h / 2) * ((w + 1) / 2), true),
            ("patches and a token", |h, w| (h / 4) * (w / 4) + 1, true),
            ("a border", |h, w| (h + 2) * (w + 2), true),
            ("the remainder", |h, _| h % 5, true),
            ("the square", |h, _| h * h, false),
            ("the logarithm", |h, _| i64::from(h.ilog2()), false),
            ("the root", |h, _| h.isqrt(), false),
            ("a limit", |h, _| h.min(20), false),
            ("the larger", |h, w| h.max(w), false),
        ];
        let mut wrong = Vec::new();
        for (name, function, known) in cases {
            match found(&samples, function) {
                Some(whole) => {
                    let elsewhere = [[1, 1], [31, 64], [100, 7]];
                    let same =
                        |sizes: &[usize; 2]| whole.evaluate(sizes) == Some(function(sizes[0] as i64, sizes[1] as i64));
                    if !known || !elsewhere.iter().all(same) {
                        wrong.push(format!("{name}: {whole:?}"));
                    }
                }
                None if known => wrong.push(format!("{name}: nothing is found")),
                None => {}
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn few_sizes_prove_nothing() {
        assert_eq!(found(&Samples::plan(&[[8, 9, 16], [5, 6, 10]]), |h, w| h * w), None);
    }

    proptest! {
        #[test]
        fn a_quotient_is_found_and_predicts_other_sizes(a in 1i64..4, d in 1i64..9, c in 0i64..9, e in -9i64..9, x in 1usize..400) {
            let samples = Samples::dense(&[[6, 7, 12], [2, 3, 6]], 16);
            let function = |h: i64, _: i64| (a * h + c).div_euclid(d) + e;
            let found = found(&samples, function);
            prop_assert_eq!(found.and_then(|whole| whole.evaluate(&[x, 2])), Some(function(x as i64, 2)));
        }
    }
}
