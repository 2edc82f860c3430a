//! A line chart over the steps of a run, as SVG whose colours are those of the page.

use super::text::{escaped, short};
use crate::run::metrics::{Line, Split};

/// Size in the units of the drawing; the page scales it.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
/// Points of a line, at most.
const POINTS: usize = 400;

/// Lines over the steps of a run.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// End of the horizontal axis.
    pub(super) steps: u64,
    /// Least end of the vertical axis; it reaches to the highest point at any rate.
    pub(super) top: f64,
    /// How a number of the vertical axis is written.
    pub(super) format: fn(f64) -> String,
    /// A level to compare with, and its name.
    pub(super) level: Option<(&'a str, f64)>,
    pub(super) series: Vec<Series>,
}

/// A line of a chart.
pub(super) struct Series {
    pub(super) name: &'static str,
    /// `train` or `test`: the colour.
    pub(super) class: &'static str,
    /// Steps and values, ascending.
    pub(super) points: Vec<(u64, f64)>,
}

impl Series {
    /// A number of the metrics over the steps of a split.
    pub(super) fn of(lines: &[Line], split: Split, number: &str) -> Self {
        let (name, class) = match split {
            Split::Train => ("training", "train"),
            Split::Test => ("test", "test"),
        };
        let points = (lines.iter())
            .filter(|line| line.split == split)
            .filter_map(|line| Some((line.step, *line.values.get(number)?)))
            .collect();
        Self { name, class, points }
    }
}

impl Chart<'_> {
    /// The chart with its legend, or nothing where no line has a point.
    pub(super) fn figure(&self) -> Option<String> {
        let values = || self.series.iter().flat_map(|series| series.points.iter().map(|point| point.1));
        values().next()?;
        let level = self.level.map_or(0.0, |level| level.1);
        let highest = values().filter(|value| value.is_finite()).fold(level.max(self.top), f64::max);
        let ticks = ticks(highest);
        let top = ticks.last().copied().unwrap_or(1.0).max(highest);
        let frame = Frame { steps: self.steps.max(1) as f64, top };
        let mut body = String::new();
        for tick in &ticks {
            let y = frame.y(*tick);
            body += &format!("<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.0}\"/>", WIDTH - RIGHT);
            body += &format!("<text class=\"y\" x=\"{:.0}\" y=\"{y:.1}\">{}</text>", LEFT - 6.0, (self.format)(*tick));
        }
        for tick in self::ticks(frame.steps).iter().filter(|tick| **tick <= frame.steps) {
            let (x, y) = (frame.x(*tick), HEIGHT - BOTTOM + 17.0);
            body += &format!("<text class=\"x\" x=\"{x:.1}\" y=\"{y:.0}\">{}</text>", short(*tick));
        }
        if let Some((_, level)) = self.level {
            body += &format!("<path class=\"level\" d=\"M{LEFT} {:.1}H{:.0}\"/>", frame.y(level), WIDTH - RIGHT);
        }
        for series in &self.series {
            body += &frame.line(series);
        }
        Some(format!(
            "<figure class=\"chart\"><figcaption><strong>{}</strong>{}</figcaption>\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{body}</svg></figure>",
            escaped(self.title),
            self.legend(),
            escaped(&self.words()),
        ))
    }

    fn legend(&self) -> String {
        let key = |class: &str, name: &str, value: f64| {
            format!("<span class=\"key {class}\">{} <b>{}</b></span>", escaped(name), (self.format)(value))
        };
        let mut legend = String::new();
        for series in &self.series {
            if let Some((_, last)) = series.points.last() {
                legend += &key(series.class, series.name, *last);
            }
        }
        if let Some((name, level)) = self.level {
            legend += &key("level", name, level);
        }
        legend
    }

    /// The chart for those who do not see it.
    fn words(&self) -> String {
        let line = |series: &Series| {
            let ((from, first), (to, last)) = (series.points.first()?, series.points.last()?);
            let [first, last] = [first, last].map(|value| (self.format)(*value));
            Some(format!("{} {first} at step {from}, {last} at step {to}", series.name))
        };
        let lines: Vec<String> = self.series.iter().filter_map(line).collect();
        format!("{} over {} steps: {}", self.title, self.steps, lines.join("; "))
    }
}

/// From numbers to places in the drawing.
struct Frame {
    steps: f64,
    top: f64,
}

impl Frame {
    fn x(&self, step: f64) -> f64 {
        LEFT + step / self.steps * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)
    }

    fn line(&self, series: &Series) -> String {
        let points = thinned(&series.points);
        let places: Vec<String> =
            points.iter().map(|(step, value)| format!("{:.1},{:.1}", self.x(*step), self.y(*value))).collect();
        let mut svg = format!("<polyline class=\"{}\" points=\"{}\"/>", series.class, places.join(" "));
        if series.class == "test" || points.len() == 1 {
            for (step, value) in points {
                svg += &format!(
                    "<circle class=\"{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                    series.class,
                    self.x(step),
                    self.y(value)
                );
            }
        }
        svg
    }
}

/// At most [`POINTS`] points, each the mean of as many.
fn thinned(points: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let each = points.len().div_ceil(POINTS).max(1);
    let mean = |points: &[(u64, f64)]| {
        let count = points.len() as f64;
        let (steps, values) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0 as f64, sum.1 + point.1));
        (steps / count, values / count)
    };
    points.chunks(each).map(mean).collect()
}

/// Four to six round numbers from 0 to `highest` or a little more.
fn ticks(highest: f64) -> Vec<f64> {
    let highest = if highest > 0.0 && highest.is_finite() { highest } else { 1.0 };
    let rough = highest / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(power * 10.0);
    let count = (highest / step * 0.999).ceil() as u32;
    (0..=count).map(|tick| f64::from(tick) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_highest_value() {
        let table: [(f64, &[f64]); 4] = [
            (1.0, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
            (320.0, &[0.0, 100.0, 200.0, 300.0, 400.0]),
            (0.09, &[0.0, 0.02, 0.04, 0.06, 0.08, 0.1]),
            (0.0, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ];
        for (highest, expected) in table {
            let found = ticks(highest);
            assert_eq!(found.len(), expected.len(), "{highest}: {found:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{highest}: {found:?}");
        }
    }

    #[test]
    fn a_line_goes_from_corner_to_corner_and_has_a_legend() {
        let series = Series { name: "training", class: "train", points: vec![(0, 0.0), (10, 1.0)] };
        let chart = Chart {
            title: "a < b",
            steps: 10,
            top: 1.0,
            format: short,
            level: Some(("chance", 0.25)),
            series: vec![series],
        };
        let figure = chart.figure().unwrap();
        for part in ["points=\"46.0,214.0 428.0,10.0\"", "a &lt; b", "training <b>1</b>", "chance <b>0.25</b>"] {
            assert!(figure.contains(part), "{part} is not in {figure}");
        }
        assert_eq!(Chart { series: Vec::new(), ..chart }.figure(), None);
    }

    #[test]
    fn long_lines_are_thinned_to_means() {
        let points: Vec<(u64, f64)> = (0..10_000).map(|step| (step, (step % 2) as f64)).collect();
        let thin = thinned(&points);
        assert_eq!(thin.len(), POINTS);
        assert!(thin.iter().all(|(_, value)| (value - 0.5).abs() < 0.05));
    }
}
