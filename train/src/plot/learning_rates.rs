//! The loss over the learning rate, on a logarithmic axis.

use super::SIZE;
use crate::{Error, Recipe};
use plotters::prelude::*;
use selfie_models::saved::write_atomically;
use std::path::Path;

/// Draws what a search for a learning rate found.
pub(crate) fn draw_learning_rates(
    path: &Path,
    recipe: &Recipe,
    points: &[(f64, f64)],
    suggested: Option<f64>,
) -> Result<(), Error> {
    let mut svg = String::new();
    let drawn = draw(&mut svg, recipe, points, suggested).map_err(|error| error.to_string());
    drawn.map_err(|reason| Error::Plot { path: path.to_owned(), reason })?;
    Ok(write_atomically(path, svg.as_bytes())?)
}

fn draw(
    svg: &mut String,
    recipe: &Recipe,
    points: &[(f64, f64)],
    suggested: Option<f64>,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let losses = || points.iter().map(|(_, loss)| *loss);
    let first = losses().next().unwrap_or(1.0);
    let least = losses().fold(first, f64::min);
    let (bottom, top) = (least - 0.1 * (first - least).abs(), first + (first - least).abs().max(0.1 * first));
    let ends = (points.first().map_or(1e-6, |point| point.0), points.last().map_or(10.0, |point| point.0));
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .caption(format!("{} ({})", recipe.name, recipe.data), ("sans-serif", 18))
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d((ends.0..ends.1 * 1.001).log_scale(), bottom..top)?;
    chart
        .configure_mesh()
        .x_desc("learning rate")
        .y_desc("mean loss")
        .x_label_formatter(&|rate| format!("{rate:.0e}"))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let seen = points.iter().map(|(rate, loss)| (*rate, loss.min(top)));
    chart
        .draw_series(LineSeries::new(seen, BLUE.stroke_width(2)))?
        .label("loss")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], BLUE));
    if let Some(rate) = suggested {
        chart
            .draw_series(LineSeries::new([(rate, bottom), (rate, top)], RED.stroke_width(1)))?
            .label(format!("steepest at {rate:.1e}"))
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], RED));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_shows_the_curve_and_the_suggestion() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rates.svg");
        let recipe = Recipe { name: "toy".into(), ..Recipe::default() };
        for (points, suggested) in [(vec![(1e-4, 2.0), (1e-3, 1.0), (1e-2, 50.0)], Some(1e-3)), (Vec::new(), None)] {
            draw_learning_rates(&path, &recipe, &points, suggested).unwrap();
            let svg = std::fs::read_to_string(&path).unwrap();
            assert!(["<svg", "toy", "learning rate", "mean loss"].into_iter().all(|text| svg.contains(text)));
            assert_eq!(svg.contains("steepest at 1.0e-3"), suggested.is_some());
        }
    }
}
