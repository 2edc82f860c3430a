//! A table of results in Markdown.

use super::origin::{Origin, OriginReport};
use super::report::{AxisReport, Entry, GAIN, GRADIENT, Report, percent};
use super::row::{ROWS, Row};
use super::statistic::Statistic;
use crate::evaluate::{PROBE_STEPS, PROBE_TOLERANCE};
use std::fmt::Write;

/// What stands where nothing is finished or planned.
const NOTHING: &str = "–";

/// A table of results in Markdown: accuracy, calibration, what was varied, and the protocol.
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "# {}\n\n{}\n", report.name, introduction(report));
    text.push_str(&accuracy(report));
    let calibration = numbers(report, "calibration_error", |row| row.heading().to_owned());
    if !calibration.is_empty() {
        let _ = write!(text, "\nExpected calibration error in percent, 15 bins:\n\n{}{calibration}", header(report));
    }
    for axis in report.axes.iter().filter(|axis| !report.varied(axis).is_empty()) {
        let _ = writeln!(text, "\n## {}\n\n{}", axis.name, varied(report, axis));
    }
    let _ = writeln!(text, "\n## Protocol\n\n{}", protocol(report));
    text
}

fn introduction(report: &Report) -> String {
    let seeds: Vec<String> = report.seeds.iter().map(ToString::to_string).collect();
    let spread = match seeds.len() {
        1 => String::new(),
        _ => ", mean ± standard deviation over seeds".to_owned(),
    };
    format!(
        "Accuracy in percent on the {} test images of {}, after the last step{spread} (seed {}).",
        report.test_images,
        report.data,
        seeds.join(", ")
    )
}

fn header(report: &Report) -> String {
    let columns = report.parts.iter().map(|part| format!(" {} ({} images) |", percent(part.labels), part.images));
    format!("| labels |{}\n|---|{}\n", columns.collect::<String>(), "---:|".repeat(report.parts.len()))
}

fn accuracy(report: &Report) -> String {
    let chance = format!("Knowing nothing gives {}.\n", percent(1.0 / report.classes.max(1) as f64));
    let mut lines = numbers(report, "accuracy", |row| row.heading().to_owned());
    lines.push_str(&numbers(report, GAIN, |_| "**gain of Selfie over scratch**".to_owned()));
    format!("{}{lines}\n{chance}", header(report))
}

/// A line for every row that has the number at all.
fn numbers(report: &Report, metric: &str, heading: impl Fn(Row) -> String) -> String {
    let mut lines = String::new();
    for (row, ..) in ROWS {
        let entries = report.parts.iter().map(|part| report.entry(*row, part.labels, metric, None));
        let entries: Vec<_> = entries.collect();
        if entries.iter().any(Option::is_some) {
            let cells = entries.iter().map(|entry| cell(report, entry.map(Entry::statistic), metric == GAIN));
            lines.push_str(&line(&heading(*row), cells));
        }
    }
    lines
}

fn varied(report: &Report, axis: &AxisReport) -> String {
    let columns = report.varied(axis);
    let names = columns.iter().map(|(row, labels)| format!("{}, {}", row.heading(), percent(*labels)));
    let mut text = line(&axis.name, names);
    text.push_str(&format!("|---|{}\n", "---:|".repeat(columns.len())));
    for value in &axis.values {
        let entry = |row, labels| report.entry(row, labels, "accuracy", Some((&axis.name, value)));
        let cells = columns.iter().map(|(row, labels)| cell(report, entry(*row, *labels).map(Entry::statistic), false));
        text.push_str(&line(value, cells));
    }
    text.trim_end().to_owned()
}

fn line(heading: &str, cells: impl Iterator<Item = String>) -> String {
    format!("| {heading} |{}\n", cells.map(|cell| format!(" {cell} |")).collect::<String>())
}

/// A number in percent; one of which seeds are missing says so.
fn cell(report: &Report, statistic: Option<Statistic>, is_signed: bool) -> String {
    let Some(statistic) = statistic else { return NOTHING.to_owned() };
    let sign = if is_signed && statistic.mean >= 0.0 { "+" } else { "" };
    let (count, seeds) = (statistic.count, report.seeds.len());
    let missing = if count < seeds { format!(" ({count} of {seeds} seeds)") } else { String::new() };
    format!("{sign}{}{missing}", statistic.percent())
}

fn protocol(report: &Report) -> String {
    let Report { pretrain, train_images, .. } = report;
    let mut text = format!(
        "- Pretraining: `{}`, {} steps of {} images, all {train_images} training images without labels, once for every seed.\n",
        pretrain.recipe, pretrain.steps, pretrain.batch_size
    );
    let trained = |row: &Row| matches!(row, Row::Selfie | Row::Scratch);
    for part in report.parts.iter().filter(|part| part.rows.iter().any(trained)) {
        let (recipe, steps, batch) = (&part.finetune.recipe, part.finetune.steps, part.finetune.batch_size);
        let labels = percent(part.labels);
        text.push_str(&format!(
            "- Fine-tuning and from scratch, {labels}: `{recipe}`, {steps} steps of {batch} images.\n"
        ));
    }
    text.push_str(
        "- A seed chooses the labels, the same part of every class, the same for every row; the test images choose nothing.",
    );
    let gradients = report.entries.iter().filter(|entry| entry.metric == GRADIENT);
    let gradients: Vec<f64> = gradients.flat_map(|entry| entry.by_seed.values().copied()).collect();
    if !gradients.is_empty() {
        let tolerance = f64::from(PROBE_TOLERANCE);
        let converged = gradients.iter().filter(|gradient| **gradient < tolerance).count();
        let largest = gradients.iter().copied().fold(0.0, f64::max);
        text.push_str(&format!(
            "\n- {converged} of {} linear probes ended with every entry of the gradient below {PROBE_TOLERANCE:e}, the others after \
             {PROBE_STEPS} steps; the largest entry at an end is {largest:.1e}.",
            gradients.len()
        ));
    }
    for OriginReport { origin: Origin { device, crate_version, source_revision }, count } in &report.origins {
        text.push_str(&format!(
            "\n- Device `{device}`, selfie {crate_version}, source {source_revision}: {count} of the trainings and measurements."
        ));
    }
    text
}

#[cfg(test)]
mod tests;
