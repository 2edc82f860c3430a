//! Learning curves as an SVG: loss and accuracy over the steps, each with what knowing nothing gives.

mod learning_rates;

pub(crate) use learning_rates::draw_learning_rates;

use crate::engine::Chance;
use crate::run::metrics::{Line, Split};
use crate::{Error, Recipe};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (960, 420);

/// Draws the curves of a run.
pub(crate) fn draw(path: &Path, recipe: &Recipe, lines: &[Line], chance: Chance) -> Result<(), Error> {
    let mut svg = String::new();
    let reason = draw_all(&mut svg, recipe, lines, chance).map_err(|error| error.to_string());
    reason.map_err(|reason| Error::Plot { path: path.to_owned(), reason })?;
    Ok(selfie_models::saved::write_atomically(path, svg.as_bytes())?)
}

fn draw_all(
    svg: &mut String,
    recipe: &Recipe,
    lines: &[Line],
    chance: Chance,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let titled = root.titled(&format!("{} ({})", recipe.name, recipe.data), ("sans-serif", 18))?;
    let panels = titled.split_evenly((1, 2));
    let most = lines.iter().filter_map(|line| line.values.get("loss")).fold(chance.loss, |most, loss| most.max(*loss));
    let panel = |name: &'static str, top: f64, chance: f64| Panel { name, top, chance, steps: recipe.steps };
    if let [loss, accuracy] = &panels[..] {
        panel("loss", most * 1.05, chance.loss).draw(loss, lines)?;
        panel("accuracy", 1.0, chance.accuracy).draw(accuracy, lines)?;
    }
    root.present()?;
    Ok(())
}

struct Panel {
    name: &'static str,
    top: f64,
    chance: f64,
    steps: u64,
}

impl Panel {
    fn draw(
        &self,
        area: &DrawingArea<SVGBackend<'_>, Shift>,
        lines: &[Line],
    ) -> Result<(), Box<dyn std::error::Error>> {
        let end = self.steps.max(1);
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .caption(self.name, ("sans-serif", 15))
            .x_label_area_size(28)
            .y_label_area_size(44)
            .build_cartesian_2d(0u64..end, 0.0..self.top)?;
        chart.configure_mesh().x_desc("step").light_line_style(TRANSPARENT).draw()?;
        let grey = BLACK.mix(0.5);
        let chance = LineSeries::new([(0, self.chance), (end, self.chance)], grey.stroke_width(1));
        chart
            .draw_series(chance)?
            .label(format!("chance {:.3}", self.chance))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], grey));
        for (split, label, colour) in
            [(Split::Train, "training", BLUE), (Split::Validation, "validation", GREEN), (Split::Test, "test", RED)]
        {
            let points: Vec<(u64, f64)> = (lines.iter())
                .filter(|line| line.split == split)
                .filter_map(|line| Some((line.step, *line.values.get(self.name)?)))
                .collect();
            if points.is_empty() && split == Split::Validation {
                continue;
            }
            let dots: Vec<_> = match split {
                Split::Train => Vec::new(),
                _ => points.iter().map(|point| Circle::new(*point, 3, colour.filled())).collect(),
            };
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
            chart.draw_series(dots)?;
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_picture_shows_both_panels_and_what_knowing_nothing_gives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.svg");
        let line = |step: u64, split: Split| Line {
            step,
            split,
            values: BTreeMap::from([("loss".into(), 2.0 / step as f64), ("accuracy".into(), 0.1 * step as f64)]),
        };
        let lines = [line(1, Split::Train), line(2, Split::Train), line(2, Split::Test)];
        let recipe = Recipe { name: "toy".into(), steps: 2, ..Recipe::default() };
        draw(&path, &recipe, &lines, Chance::among(4)).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        for text in ["<svg", "toy", "loss", "accuracy", "chance 1.386", "chance 0.250", "training", "test"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
