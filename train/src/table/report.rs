//! The numbers of a table, as `table.json` holds them.

use super::origin::OriginReport;
use super::plan::{Cell, Plan, Variant};
use super::recipe::Part;
use super::row::{ROWS, Row};
use super::statistic::Statistic;
use crate::data::{self, Dataset};
use crate::{Error, Recipe};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// The numbers that a cell can have, in the order of a table.
const METRICS: &[&str] = &["accuracy", "loss", "calibration_error", GRADIENT];
/// Largest entry of the gradient at which a linear probe ended.
pub(crate) const GRADIENT: &str = "gradient";
/// Accuracy of [`Row::Selfie`] minus that of [`Row::Scratch`] with the same seed.
pub(crate) const GAIN: &str = "accuracy_over_scratch";

/// Numbers of finished cells by folder.
pub(crate) type Results = HashMap<PathBuf, BTreeMap<String, f64>>;

/// A table of results. It holds no times, so that a table that was stopped and resumed ends with the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the table.
    pub name: String,
    /// Data set.
    pub data: String,
    /// Images that are measured on, after the last step; no choice is made by them.
    pub test_images: usize,
    /// Images that are pretrained on, without labels.
    pub train_images: usize,
    /// Classes.
    pub classes: usize,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// What its trainings and measurements were made with.
    pub origins: Vec<OriginReport>,
    /// How the base is pretrained.
    pub pretrain: StageReport,
    /// The columns.
    pub parts: Vec<PartReport>,
    /// What is varied beside.
    pub axes: Vec<AxisReport>,
    /// The numbers.
    pub entries: Vec<Entry>,
}

/// How a stage trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    /// Name of the recipe.
    pub recipe: String,
    /// Steps.
    pub steps: u64,
    /// Images of a step.
    pub batch_size: usize,
}

/// A part of the labels, and how is trained on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartReport {
    /// Part of all training labels.
    pub labels: f64,
    /// Images with a label.
    pub images: usize,
    /// Rows that are measured on it.
    pub rows: Vec<Row>,
    /// How the base is fine-tuned, and trained from scratch.
    pub finetune: StageReport,
}

/// Something that is varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AxisReport {
    /// What it is.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// One number, over the seeds that are finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What is measured.
    pub row: Row,
    /// Part of all training labels.
    pub labels: f64,
    /// The axis that is varied; none in the table itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub axis: Option<String>,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// Name of the number.
    pub metric: String,
    /// The number of each seed.
    pub by_seed: BTreeMap<u64, f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, where there are two or more.
    pub std: Option<f64>,
}

impl Report {
    /// The numbers of all finished cells.
    pub(crate) fn new(
        plan: &Plan<'_>,
        origins: Vec<OriginReport>,
        dataset: &Dataset,
        results: &Results,
    ) -> Result<Self, Error> {
        let mut report = Self {
            name: plan.recipe.name.clone(),
            data: plan.recipe.data.clone(),
            test_images: dataset.test.len(),
            train_images: dataset.train.len(),
            classes: dataset.labels.len(),
            seeds: (1..=plan.recipe.seeds).collect(),
            origins,
            pretrain: StageReport { recipe: String::new(), steps: 0, batch_size: 0 },
            parts: Vec::new(),
            axes: Vec::new(),
            entries: Vec::new(),
        };
        if let Some(base) = plan.variants.first() {
            for part in &plan.recipe.labels {
                let [pretrain, finetune] = plan.recipes(Cell { row: Row::Selfie, part, seed: 1, variant: base })?;
                report.pretrain = StageReport::of(&pretrain);
                let images = data::stratified(&dataset.train.labels, part.part, 1)?.len();
                let (labels, rows, finetune) = (part.part, part.rows.clone(), StageReport::of(&finetune));
                report.parts.push(PartReport { labels, images, rows, finetune });
                report.add(results, part, base, None);
            }
        }
        for (index, axis) in plan.recipe.axes.iter().enumerate() {
            let values: Vec<String> = axis.values.iter().map(|value| value.name.clone()).collect();
            for (place, value) in values.iter().enumerate() {
                for part in &plan.recipe.labels {
                    if let Some(variant) = plan.variant(index, place) {
                        report.add(results, part, variant, Some((&axis.name, value)));
                    }
                }
            }
            report.axes.push(AxisReport { name: axis.name.clone(), values });
        }
        Ok(report)
    }

    /// Adds the numbers of all rows of a part.
    fn add(&mut self, results: &Results, part: &Part, variant: &Variant, place: Option<(&String, &String)>) {
        for (row, ..) in ROWS.iter().filter(|(row, ..)| part.rows.contains(row)) {
            let of = |row: Row, seed: u64, metric: &str| {
                results.get(&Cell { row, part, seed, variant }.folder())?.get(metric).copied()
            };
            let mut add = |metric: &str, by_seed: BTreeMap<u64, f64>| {
                if let Some(Statistic { mean, std, .. }) = Statistic::of(by_seed.values().copied()) {
                    let (axis, value) = place.map(|(axis, value)| (axis.clone(), value.clone())).unzip();
                    let (row, labels, metric) = (*row, part.part, metric.to_owned());
                    self.entries.push(Entry { row, labels, axis, value, metric, by_seed, mean, std });
                }
            };
            for metric in METRICS {
                let seeds = self.seeds.iter();
                add(metric, seeds.filter_map(|seed| Some((*seed, of(*row, *seed, metric)?))).collect());
            }
            if *row == Row::Selfie {
                let gain = |seed: u64| Some(of(*row, seed, "accuracy")? - of(Row::Scratch, seed, "accuracy")?);
                add(GAIN, self.seeds.iter().filter_map(|seed| Some((*seed, gain(*seed)?))).collect());
            }
        }
    }

    /// The rows and parts that an axis can change: those whose numbers are not all the same at all of its values.
    pub(crate) fn varied(&self, axis: &AxisReport) -> Vec<(Row, f64)> {
        let all = self.parts.iter().flat_map(|part| part.rows.iter().map(|row| (*row, part.labels)));
        all.filter(|(row, labels)| {
            let differs = |metric: &str| {
                let at = |value: &String| Some(&self.entry(*row, *labels, metric, Some((&axis.name, value)))?.by_seed);
                let mut values = axis.values.iter().map(at);
                let first = values.next();
                values.any(|other| Some(other) != first)
            };
            // The same accuracy alone may be by chance.
            METRICS.iter().any(|metric| differs(metric))
        })
        .collect()
    }

    /// The entry at a place, if a seed of it is finished; `place` is an axis and its value.
    pub(crate) fn entry(&self, row: Row, labels: f64, metric: &str, place: Option<(&str, &str)>) -> Option<&Entry> {
        self.entries.iter().find(|entry| {
            entry.row == row
                && entry.labels == labels
                && entry.metric == metric
                && entry.axis.as_deref().zip(entry.value.as_deref()) == place
        })
    }
}

impl Entry {
    /// Mean and spread.
    pub fn statistic(&self) -> Statistic {
        Statistic { count: self.by_seed.len(), mean: self.mean, std: self.std }
    }
}

impl StageReport {
    fn of(recipe: &Recipe) -> Self {
        Self { recipe: recipe.name.clone(), steps: recipe.steps, batch_size: recipe.batch_size }
    }
}

/// A part of a whole in percent, with no more digits than it has.
pub(crate) fn percent(part: f64) -> String {
    format!("{} %", (part * 1e6).round() / 1e4)
}

#[cfg(test)]
pub(crate) mod tests;
