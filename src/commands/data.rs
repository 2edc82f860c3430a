//! `selfie data`

use crate::table::Table;
use clap::Subcommand;
use selfie_train::data::{self, SplitReport};

/// What to do with data sets.
#[derive(Subcommand)]
pub enum Command {
    /// Lists the data sets that a recipe or `--data` can name, and where they are.
    List,
    /// Brings a data set into the cache folder.
    Fetch {
        /// Name of the data set.
        name: String,
    },
    /// Reads a data set whole and reports sizes, classes, checksums and duplicates.
    Check {
        /// The data set, as `--data` takes it.
        spec: String,
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
            Self::Check { spec } => check(&spec)?,
        }
        Ok(())
    }
}

fn list() {
    let mut table = Table::new(["data set", "train", "test", "classes", "licence", "place"]);
    for listing in data::list() {
        let number = |count: Option<usize>| count.map_or("-".into(), |count| count.to_string());
        table.row([
            listing.spec,
            number(listing.images.map(|images| images.0)),
            number(listing.images.map(|images| images.1)),
            number(listing.classes),
            listing.licence.into(),
            listing.place.to_string(),
        ]);
    }
    print!("{table}");
}

fn check(spec: &str) -> anyhow::Result<()> {
    let report = data::check(spec)?;
    let mut table = Table::new(["class", "train", "test"]);
    let count = |split: &SplitReport, class: usize| split.per_class.get(class).map_or(0, |count| *count).to_string();
    for (class, label) in report.labels.iter().enumerate() {
        table.row([label.clone(), count(&report.train, class), count(&report.test, class)]);
    }
    table.row(["all".into(), report.train.images.to_string(), report.test.images.to_string()]);
    println!("{table}");
    let (rows, columns) = report.native;
    let (height, width) = report.padded;
    println!("images: {} x {rows}x{columns}, padded to {height}x{width}", report.channels);
    println!("mean: {:?}, standard deviation: {:?}", report.mean, report.std);
    println!("checksums: {}", if report.checksums_verified { "right" } else { "none known for this data set" });
    let twins = &report.duplicates;
    println!(
        "duplicates: {} in train, {} in test, {} between them",
        twins.within_train, twins.within_test, twins.between
    );
    Ok(())
}
