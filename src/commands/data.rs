//! `selfie data`

use crate::table::Table;
use clap::Subcommand;
use selfie_train::data::{self, Reading, Report, SplitReport, Suspect};
use std::path::{Path, PathBuf};

/// Findings of a kind that are shown one by one.
const SHOWN: usize = 10;

/// What to do with data sets.
#[derive(Subcommand)]
pub enum Command {
    /// Lists the data sets that a recipe or `--data` can name, and where they are.
    List,
    /// Brings a data set into the cache folder.
    Fetch {
        /// Name of the data set; `selfie data list` shows them.
        name: String,
    },
    /// Decodes all of a data set and reports damage, duplicates, sizes, classes and doubtful labels; exit code 1 when it is unfit.
    Check {
        /// The data set, as `--data` takes it.
        spec: String,
        /// Draw a contact sheet, a row of images for every class, into a PNG file.
        #[arg(long, value_name = "FILE")]
        sheet: Option<PathBuf>,
        /// Print JSON instead of tables.
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List => list(),
            Self::Fetch { name } => {
                let folder = data::fetch(&name, &|line| eprintln!("{line}"))?;
                println!("{name} is in {}", folder.display());
            }
            Self::Check { spec, sheet, json } => check(&spec, sheet.as_deref(), json)?,
        }
        Ok(())
    }
}

fn list() {
    let mut table = Table::new(["data set", "train", "test", "classes", "licence", "place", "what it is"]);
    for listing in data::list() {
        let number = |count: Option<usize>| count.map_or("-".into(), |count| count.to_string());
        table.row([
            listing.spec,
            number(listing.images.map(|images| images.0)),
            number(listing.images.map(|images| images.1)),
            number(listing.classes),
            listing.licence.into(),
            listing.place.to_string(),
            listing.description.into(),
        ]);
    }
    print!("{table}");
}

fn check(spec: &str, sheet: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let reading = Reading::default();
    let report = data::check(spec, &reading)?;
    if let Some(path) = sheet {
        data::sheet(spec, &reading, path)?;
    }
    match json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print(&report, sheet),
    }
    let problems = report.problems();
    anyhow::ensure!(problems.is_empty(), "{} is not fit for training: {}", report.name, problems.join("; "));
    Ok(())
}

fn print(report: &Report, sheet: Option<&Path>) {
    report.notices.iter().for_each(|notice| println!("{notice}"));
    let mut table = Table::new(["class", "train", "validation", "test"]);
    let splits = [&report.train, &report.validation, &report.test];
    for (class, label) in report.labels.iter().enumerate() {
        let count = |split: &SplitReport| split.per_class.get(class).map_or(0, |count| *count).to_string();
        let [train, validation, test] = splits.map(count);
        table.row([label.clone(), train, validation, test]);
    }
    let [train, validation, test] = splits.map(|split| split.images.to_string());
    table.row(["all".into(), train, validation, test]);
    println!("{table}");
    let mut table = Table::new(["rows", "columns", "channels", "images"]);
    for size in report.sizes.iter().take(SHOWN) {
        table.row([size.height, size.width, size.channels, size.images].map(|number| number.to_string()));
    }
    println!("{table}");
    if report.sizes.len() > SHOWN {
        println!("and {} more sizes", report.sizes.len() - SHOWN);
    }
    println!("checksums: {}", if report.checksums_verified { "right" } else { "none known for this data set" });
    let twins = &report.duplicates;
    println!(
        "duplicates: {} in train, {} in test, {} between them, {} nearly equal",
        twins.within_train, twins.within_test, twins.between, twins.near
    );
    for pair in &twins.examples {
        println!("  {} {} {}", pair.second, if pair.exact { "=" } else { "≈" }, pair.first);
    }
    for pair in twins.conflicts.iter().take(SHOWN) {
        println!("other label, same image: {} = {}", pair.second, pair.first);
    }
    println!("doubtful labels: {}", report.suspects.len());
    for Suspect { image, label, looks_like, twin } in report.suspects.iter().take(SHOWN) {
        match twin {
            Some(twin) => println!("  {image} is {label:?} and nearly equals {twin}, which is {looks_like:?}"),
            None => println!("  {image} is {label:?}; the ten nearest images are all {looks_like:?}"),
        }
    }
    println!("damaged: {}", report.damaged.len());
    for damaged in report.damaged.iter().take(SHOWN) {
        println!("  {}: {}", damaged.image, damaged.reason);
    }
    if let Some(path) = sheet {
        println!("contact sheet: {}", path.display());
    }
}
