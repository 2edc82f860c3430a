//! A table of results as pictures: accuracy over the labels, and over the values of what is varied.

use super::report::{Report, percent};
use super::row::{ROWS, Row};
use super::statistic::Statistic;
use crate::Error;
use plotters::prelude::*;
use selfie_models::saved::write_atomically;
use std::path::Path;

const SIZE: (u32, u32) = (960, 480);
/// Empty space above and below the numbers.
const MARGIN: f64 = 2.0;

/// Accuracy in percent at every place of the horizontal axis, where there is one.
struct Series {
    name: String,
    points: Vec<Option<Statistic>>,
}

/// Draws all pictures of a table into its folder.
pub(crate) fn draw(folder: &Path, report: &Report) -> Result<(), Error> {
    let places: Vec<String> = report.parts.iter().map(|part| percent(part.labels)).collect();
    let labels: Vec<f64> = report.parts.iter().map(|part| part.labels).collect();
    let series = |row: &Row| Series {
        name: row.heading().to_owned(),
        points: labels.iter().map(|labels| point(report, *row, *labels, None)).collect(),
    };
    let all: Vec<Series> = ROWS.iter().map(|(row, ..)| series(row)).collect();
    save(&folder.join("accuracy.svg"), &format!("{} ({})", report.name, report.data), "labels", &places, &all)?;
    for (index, axis) in report.axes.iter().enumerate() {
        let varied = |(row, labels): (Row, f64)| Series {
            name: format!("{}, {}", row.heading(), percent(labels)),
            points: axis.values.iter().map(|value| point(report, row, labels, Some((&axis.name, value)))).collect(),
        };
        let all: Vec<Series> = report.varied(axis).into_iter().map(varied).collect();
        let path = folder.join(format!("axis-{}.svg", index + 1));
        save(&path, &format!("{} ({})", report.name, report.data), &axis.name, &axis.values, &all)?;
    }
    Ok(())
}

fn point(report: &Report, row: Row, labels: f64, place: Option<(&str, &str)>) -> Option<Statistic> {
    Some(report.entry(row, labels, "accuracy", place)?.statistic().percent())
}

fn save(path: &Path, title: &str, axis: &str, places: &[String], series: &[Series]) -> Result<(), Error> {
    let mut svg = String::new();
    let drawn = chart(&mut svg, title, axis, places, series).map_err(|error| error.to_string());
    drawn.map_err(|reason| Error::Plot { path: path.to_owned(), reason })?;
    Ok(write_atomically(path, svg.as_bytes())?)
}

fn chart(
    svg: &mut String,
    title: &str,
    axis: &str,
    places: &[String],
    series: &[Series],
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let drawn: Vec<&Series> = series.iter().filter(|series| series.points.iter().any(Option::is_some)).collect();
    let all = || drawn.iter().flat_map(|series| &series.points).flatten();
    let (low, high) = all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), point| {
        let std = point.std.unwrap_or_default();
        (low.min(point.mean - std), high.max(point.mean + std))
    });
    let (low, high) = if low <= high { (low - MARGIN, high + MARGIN) } else { (0.0, 100.0) };
    let width = places.len().max(1) as f64;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .caption(title, ("sans-serif", 18))
        .x_label_area_size(40)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..width, low..high)?;
    // Places lie at the middle of ranges of length 1, and the names of a mesh at multiples of a half.
    let name = |x: &f64| match (x * 2.0).round() as usize {
        twice if !twice.is_multiple_of(2) => places.get(twice / 2).cloned().unwrap_or_default(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(2 * places.len() + 1)
        .x_label_formatter(&name)
        .x_desc(axis)
        .y_desc("accuracy in %")
        .draw()?;
    for (index, series) in drawn.iter().enumerate() {
        let colour = Palette99::pick(index).to_rgba();
        let points =
            series.points.iter().enumerate().filter_map(|(place, point)| Some((place as f64 + 0.5, (*point)?)));
        let points: Vec<(f64, Statistic)> = points.collect();
        let line = LineSeries::new(points.iter().map(|(x, point)| (*x, point.mean)), colour.stroke_width(2));
        chart
            .draw_series(line)?
            .label(series.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(points.iter().map(|(x, point)| Circle::new((*x, point.mean), 3, colour.filled())))?;
        chart.draw_series(points.iter().filter_map(|(x, point)| {
            let std = point.std?;
            Some(PathElement::new([(*x, point.mean - std), (*x, point.mean + std)], colour.stroke_width(1)))
        }))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests;
