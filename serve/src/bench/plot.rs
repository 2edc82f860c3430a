//! Latency against throughput as an SVG: for each server the median (thin) and the 99th percentile (bold) at every load, the limit,
//! and the 99th percentile where nothing but the work takes time.

use super::serving::Report;
use crate::Error;
use plotters::prelude::*;

const SIZE: (u32, u32) = (960, 540);
/// Distinct for people who see colours otherwise.
///
/// # Source
/// Okabe and Ito 2008.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
];

/// The plot of a report.
///
/// # Errors
/// [`Error::Bench`] when it cannot be drawn.
pub fn svg(report: &Report) -> Result<String, Error> {
    let mut svg = String::new();
    draw(&mut svg, report).map_err(|error| Error::bench("the plot", error.to_string()))?;
    Ok(svg)
}

fn draw(svg: &mut String, report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let points = report.servers.iter().flat_map(|server| &server.open);
    let times = || points.clone().flat_map(|point| [point.latency.p50_ms, point.latency.p99_ms]);
    let least = times()
        .chain(report.limit.open.iter().map(|ideal| ideal.latency.p99_ms))
        .filter(|ms| *ms > 0.0)
        .fold(1.0, f64::min)
        / 1.5;
    let most = times().filter(|ms| ms.is_finite()).fold(least * 10.0, f64::max) * 1.5;
    let limit = report.limit.per_second;
    let end = points.clone().map(|point| point.per_second).fold(limit, f64::max) * 1.05;
    let title = format!("{} on {}, {}: time of a request at a load", report.model, report.runtime, report.device);
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .caption(title, ("sans-serif", 18))
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..end, (least..most).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("images a second")
        .y_desc("ms: p50 thin, p99 bold")
        .light_line_style(TRANSPARENT)
        .draw()?;
    let grey = BLACK.mix(0.5);
    chart
        .draw_series(LineSeries::new([(limit, least), (limit, most)], grey.stroke_width(1)))?
        .label(format!("limit of the machine: {limit:.0}"))
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], grey));
    let ideal = report.limit.open.iter().map(|ideal| (ideal.offered_per_second, ideal.latency.p99_ms));
    chart
        .draw_series(LineSeries::new(ideal, grey.stroke_width(3)))?
        .label("p99 of a server without any cost of its own")
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], grey.stroke_width(3)));
    for (server, colour) in report.servers.iter().zip(COLOURS.into_iter().cycle()) {
        let line = |of: fn(&super::Summary) -> f64| -> Vec<(f64, f64)> {
            server.open.iter().map(|point| (point.per_second, of(&point.latency))).collect()
        };
        let (p50, p99) = (line(|latency| latency.p50_ms), line(|latency| latency.p99_ms));
        chart.draw_series(LineSeries::new(p50.iter().copied(), colour.stroke_width(1)))?;
        chart
            .draw_series(LineSeries::new(p99.iter().copied(), colour.stroke_width(3)))?
            .label(server.label())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(3)));
        chart.draw_series(p50.iter().chain(&p99).map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(grey)
        .draw()?;
    root.present()?;
    Ok(())
}
