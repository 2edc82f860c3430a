//! Mean and spread over seeds.

use std::fmt;

/// A number that was measured with several seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    /// Seeds.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, of which one seed has none: the square root of the sum of squares over `count - 1`.
    pub std: Option<f64>,
}

impl Statistic {
    /// Of the numbers of all seeds; none of no number.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let numbers: Vec<f64> = numbers.into_iter().collect();
        let count = numbers.len();
        if count == 0 {
            return None;
        }
        let mean = numbers.iter().sum::<f64>() / count as f64;
        let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
        let std = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Some(Self { count, mean, std })
    }

    /// The same in percent.
    #[must_use]
    pub fn percent(self) -> Self {
        Self { mean: self.mean * 100.0, std: self.std.map(|std| std * 100.0), ..self }
    }
}

/// `83.31 ± 0.42`, with the precision of the format.
impl fmt::Display for Statistic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = formatter.precision().unwrap_or(2);
        match self.std {
            Some(std) => write!(formatter, "{:.digits$} ± {std:.digits$}", self.mean),
            None => write!(formatter, "{:.digits$}", self.mean),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_are_those_by_hand() {
        // Deviations of -2, 0, 2 around 84: squares 8, over 2.
        let statistic = Statistic::of([0.82, 0.84, 0.86]).unwrap().percent();
        assert_eq!((statistic.count, statistic.to_string().as_str()), (3, "84.00 ± 2.00"));
        assert_eq!(format!("{statistic:.1}"), "84.0 ± 2.0");
    }

    #[test]
    fn one_number_has_no_spread_and_none_has_nothing() {
        assert_eq!(Statistic::of([0.5]).unwrap().to_string(), "0.50");
        assert_eq!(Statistic::of([]), None);
    }
}
