//! A table of results as CSV: one number of one seed a line.

use super::report::Report;
use crate::Error;
use std::path::PathBuf;

const COLUMNS: [&str; 7] = ["row", "labels", "axis", "value", "metric", "seed", "number"];

/// All numbers of all seeds.
pub(crate) fn csv(report: &Report) -> Result<Vec<u8>, Error> {
    let wrong = |reason: String| Error::Damaged { path: PathBuf::from("table.csv"), reason };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|error| wrong(error.to_string()))?;
    for entry in &report.entries {
        for (seed, number) in &entry.by_seed {
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            let (labels, seed, number) = (entry.labels.to_string(), seed.to_string(), number.to_string());
            let (axis, value) = (text(&entry.axis), text(&entry.value));
            let record = [entry.row.to_string(), labels, axis, value, entry.metric.clone(), seed, number];
            writer.write_record(record).map_err(|error| wrong(error.to_string()))?;
        }
    }
    writer.into_inner().map_err(|error| wrong(error.to_string()))
}
