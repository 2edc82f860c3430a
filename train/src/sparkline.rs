//! A curve of a few characters, for a line on a terminal.

/// Heights of a character, the lowest first.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Characters of a curve, at most.
const WIDTH: usize = 16;

/// The whole past of a number in bounded memory: when there are twice as many points as characters, two become one.
#[derive(Debug)]
pub(crate) struct Sparkline {
    points: Vec<f64>,
    /// Numbers of a point.
    every: usize,
    /// Sum and count of the point that is not whole yet.
    open: (f64, usize),
}

impl Sparkline {
    pub(crate) fn new() -> Self {
        Self { points: Vec::new(), every: 1, open: (0.0, 0) }
    }

    pub(crate) fn push(&mut self, number: f64) {
        self.open = (self.open.0 + number, self.open.1 + 1);
        if self.open.1 < self.every {
            return;
        }
        self.points.push(self.open.0 / self.every as f64);
        self.open = (0.0, 0);
        if self.points.len() == 2 * WIDTH {
            self.points = self.points.chunks_exact(2).map(|pair| pair.iter().sum::<f64>() / 2.0).collect();
            self.every *= 2;
        }
    }
}

impl std::fmt::Display for Sparkline {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each = self.points.len().div_ceil(WIDTH).max(1);
        let means: Vec<f64> =
            self.points.chunks(each).map(|points| points.iter().sum::<f64>() / points.len() as f64).collect();
        let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let range = (highest - lowest).max(f64::MIN_POSITIVE);
        let top = LEVELS.len() - 1;
        let level = |mean: f64| LEVELS[(((mean - lowest) / range * top as f64).round() as usize).min(top)];
        means.into_iter().try_for_each(|mean| std::fmt::Write::write_char(formatter, level(mean)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(numbers: impl IntoIterator<Item = f64>) -> String {
        let mut line = Sparkline::new();
        numbers.into_iter().for_each(|number| line.push(number));
        line.to_string()
    }

    #[test]
    fn few_numbers_have_a_character_each() {
        assert_eq!(drawn([]), "");
        assert_eq!(drawn([3.0]), "▁");
        assert_eq!(drawn([7.0, 0.0, 3.0]), "█▁▄");
        assert_eq!(drawn([2.0, 2.0]), "▁▁");
    }

    #[test]
    fn many_numbers_keep_the_shape_of_the_whole_past() {
        for count in [17, 31, 32, 33, 1000, 4096] {
            let curve = drawn((0..count).map(|step| -f64::from(step)));
            let length = curve.chars().count();
            assert!((8..=WIDTH).contains(&length), "{count}: {curve}");
            assert!(curve.starts_with('█') && curve.ends_with('▁'), "{count}: {curve}");
            assert!(curve.chars().is_sorted_by(|a, b| a >= b), "{count}: {curve}");
        }
    }
}
