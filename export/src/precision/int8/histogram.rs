//! What an activation holds, and the range that its 8 bits should cover.

use crate::{Error, Result};

/// How the range of an activation is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Calibration {
    /// The smallest and the largest number.
    #[default]
    MinMax,
    /// All but this part of the numbers, less than a half, taken off at both ends; 0.001 is the 99.9th percentile.
    Percentile(f64),
    /// The range that loses the least information: the Kullback-Leibler divergence of the numbers in 8 bits from the
    /// numbers.
    Entropy,
}

impl Calibration {
    /// Whether something is left of an activation.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::Percentile(part) if !(0.0..0.5).contains(&part) => {
                let reason =
                    format!("{part} of the numbers cannot be taken off at either end; give a part from 0 to below 0.5");
                Err(Error::Calibration(reason))
            }
            _ => Ok(()),
        }
    }
}

/// Cells of a histogram.
pub(super) const BINS: usize = 2048;
/// Cells that the entropy looks at together. Finer ones would tear the peaks that a constant background makes from their
/// neighbours, and call it a loss.
const MERGED: usize = 4;
/// Numbers that 8 bits can tell apart.
const LEVELS: usize = 256;

/// Counts between two ends. Zero, which rectifiers give so often and every scale holds exactly, is counted apart.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    low: f32,
    high: f32,
    counts: Vec<u64>,
    zeros: u64,
}

impl Histogram {
    pub fn new(low: f32, high: f32) -> Self {
        Self { low, high, counts: vec![0; BINS], zeros: 0 }
    }

    pub fn add(&mut self, value: f32) {
        if value == 0.0 {
            self.zeros += 1;
            return;
        }
        let width = (self.high - self.low).max(f32::MIN_POSITIVE);
        let bin = ((value - self.low) / width * BINS as f32) as usize;
        self.counts[bin.min(BINS - 1)] += 1;
    }

    /// The ends of the chosen range.
    pub fn range(&self, calibration: Calibration) -> (f32, f32) {
        match calibration {
            Calibration::MinMax => (self.low, self.high),
            Calibration::Percentile(part) => {
                let drop = ((self.zeros + self.counts.iter().sum::<u64>()) as f64 * part) as u64;
                let first = outlying(self.counts.iter(), drop);
                let last = BINS - outlying(self.counts.iter().rev(), drop);
                self.ends(first, last.max(first + 1))
            }
            Calibration::Entropy => {
                let (first, last) = self.least_divergence();
                self.ends(first, last)
            }
        }
    }

    fn ends(&self, first: usize, last: usize) -> (f32, f32) {
        let at = |bin: usize| self.low + (self.high - self.low) * bin as f32 / BINS as f32;
        (at(first), at(last))
    }

    /// Tries ever smaller limits on both sides of zero.
    fn least_divergence(&self) -> (usize, usize) {
        const STEPS: usize = 128;
        let counts: Vec<u64> = self.counts.chunks(MERGED).map(|cells| cells.iter().sum()).collect();
        let width = (self.high - self.low).max(f32::MIN_POSITIVE) / counts.len() as f32;
        let bin = |value: f32| (((value - self.low) / width).round().max(0.0) as usize).min(counts.len());
        let furthest = self.high.max(-self.low);
        let mut best = (f64::INFINITY, 0, counts.len());
        for step in (1..=STEPS).rev() {
            let limit = furthest * step as f32 / STEPS as f32;
            let (first, last) = (bin(-limit), bin(limit));
            if last < first + LEVELS {
                break;
            }
            let divergence = divergence(&counts, first, last);
            if divergence < best.0 {
                best = (divergence, first, last);
            }
        }
        (best.1 * MERGED, best.2 * MERGED)
    }
}

/// How many bins from one end hold no more than `drop` numbers together.
fn outlying<'a>(counts: impl Iterator<Item = &'a u64>, drop: u64) -> usize {
    let mut sum = 0;
    counts
        .take_while(|count| {
            sum += **count;
            sum <= drop
        })
        .count()
}

/// `Σ p ln(p / q)`, `p` the counts with what lies outside moved to the ends, `q` the counts in [`LEVELS`] steps.
fn divergence(counts: &[u64], first: usize, last: usize) -> f64 {
    let inside = &counts[first..last];
    let mut p: Vec<f64> = inside.iter().map(|count| *count as f64).collect();
    p[0] += counts[..first].iter().sum::<u64>() as f64;
    p[inside.len() - 1] += counts[last..].iter().sum::<u64>() as f64;
    let mut q = vec![0.0; inside.len()];
    for level in 0..LEVELS {
        let (start, end) = (level * inside.len() / LEVELS, (level + 1) * inside.len() / LEVELS);
        let sum: f64 = inside[start..end].iter().map(|count| *count as f64).sum();
        let held = p[start..end].iter().filter(|count| **count > 0.0).count();
        let held_cells = p[start..end].iter().zip(&mut q[start..end]).filter(|(p, _)| **p > 0.0);
        held_cells.for_each(|(_, q)| *q = sum / held as f64);
    }
    let (all_p, all_q): (f64, f64) = (p.iter().sum(), q.iter().sum());
    if all_p == 0.0 || all_q == 0.0 {
        return f64::INFINITY;
    }
    // A cell that only clipped numbers fill has no counterpart: it costs as if one in a million were there.
    p.iter()
        .zip(&q)
        .filter(|(p, _)| **p > 0.0)
        .map(|(p, q)| p / all_p * ((p / all_p) / (q / all_q).max(1e-6)).ln())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bell between -1 and 1, and one number far out.
    fn histogram() -> Histogram {
        let mut histogram = Histogram::new(-1.0, 50.0);
        for i in 0..100_000u32 {
            let uniform = |k: u32| f32::from((i.wrapping_mul(2_654_435_761).wrapping_add(k) >> 16) as u16) / 65536.0;
            histogram.add((0..4).map(|k| uniform(k * 40_503_001)).sum::<f32>() / 2.0 - 1.0);
        }
        histogram.add(50.0);
        histogram
    }

    #[test]
    fn one_number_far_out_widens_min_max_alone() {
        let histogram = histogram();
        assert_eq!(histogram.range(Calibration::MinMax), (-1.0, 50.0));
        for (calibration, widest) in [(Calibration::Percentile(1e-4), 2.0), (Calibration::Entropy, 26.0)] {
            let (low, high) = histogram.range(calibration);
            assert!((-1.0..=-0.5).contains(&low) && (0.5..=widest).contains(&high), "{calibration:?}: {low} to {high}");
        }
    }

    #[test]
    fn a_part_that_leaves_nothing_is_refused() {
        for (part, fits) in [(0.0, true), (1e-3, true), (0.5, false), (99.9, false), (-0.1, false), (f64::NAN, false)] {
            assert_eq!(Calibration::Percentile(part).check().is_ok(), fits, "{part}");
        }
    }

    #[test]
    fn a_constant_activation_has_a_range() {
        let mut histogram = Histogram::new(0.0, 0.0);
        histogram.add(0.0);
        for calibration in [Calibration::MinMax, Calibration::Percentile(1e-3), Calibration::Entropy] {
            let (low, high) = histogram.range(calibration);
            assert!(low == 0.0 && high == 0.0, "{calibration:?}: {low} to {high}");
        }
    }
}
