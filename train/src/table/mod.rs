//! Tables: one command trains and measures everything that a table of results is made of.
//!
//! ```text
//! table recipe ─▶ plan ─▶ cells, each in a folder of its own ─▶ report ─▶ table.md, table.csv, table.json, *.svg
//! ```
//! | file in the table's folder | what it holds |
//! |---|---|
//! | `table.toml` | the table recipe |
//! | `table.md`, `table.csv`, `table.json` | the table, written again after every cell: [`Report`] |
//! | `accuracy.svg`, `axis-*.svg` | the same as pictures |
//! | `seed-1/pretrain` | the run folder of a pretraining, [`crate::run`] |
//! | `seed-1/selfie-labels-0.05` | a cell: a run folder, or `cell.json` alone for what is measured without training |
//! | `seed-1/<axis>-<value>/…` | the same for what a value of an axis changes |
//!
//! A finished cell is kept, a half-done one goes on from its checkpoint, so that a table may be stopped at any time.

mod cell;
mod markdown;
mod origin;
mod picture;
mod plan;
mod recipe;
mod report;
mod row;
mod sheet;
mod statistic;
mod work;

pub use markdown::markdown;
pub use origin::{Origin, OriginReport};
pub use recipe::{Axis, AxisValue, Part, Stage, TABLES, TableRecipe};
pub use report::{AxisReport, Entry, PartReport, Report, StageReport};
pub use row::{ROWS, Row};
pub use statistic::Statistic;

use crate::at_hand::AtHand;
use crate::run::{RunFolder, write_json};
use crate::{Error, signals};
use cell::CellRecord;
use origin::origins;
use plan::{Cell, Plan};
use report::Results;
use selfie_models::saved::write_atomically;
use std::path::{Path, PathBuf};
use work::Work;

const TABLE_FILE: &str = "table.toml";

/// What a table is asked for.
#[derive(Clone, Debug)]
pub struct TableOptions {
    /// Name of a table recipe that comes with the crate, or a file.
    pub recipe: String,
    /// Settings of both stages, or of one with `pretrain.` or `finetune.` before the key, on top of everything else.
    pub set: Vec<String>,
    /// Data set instead of the recipe's.
    pub data: Option<String>,
    /// Number of seeds instead of the recipe's.
    pub seeds: Option<u64>,
    /// The rows to fill; all when empty.
    pub only: Vec<Row>,
    /// Folder of the table.
    pub out: PathBuf,
    /// Device, as [`selfie_models::device::open`] takes it.
    pub device: String,
    /// Whether to show no progress.
    pub quiet: bool,
}

/// Fills a table, or what is missing of it.
///
/// # Errors
/// [`Error`] says what is wrong with the recipe, the data or the folder, or which run failed.
pub fn run(options: &TableOptions) -> Result<Report, Error> {
    let plan = Plan::new(options)?;
    let cells = plan.cells();
    let Some(first) = cells.first() else {
        return Err(Error::Internal { what: "a table without cells".into() });
    };
    let [pretraining, _] = plan.recipes(*first)?;
    let at_hand = AtHand::open(&plan.recipe.data, &pretraining.images)?;
    let dataset = &at_hand.dataset;
    dataset.check_classes()?;
    plan.check(dataset)?;
    let wanted = wanted(&cells, options)?;
    let _folder = open(&options.out)?;
    write_atomically(&options.out.join(TABLE_FILE), plan.recipe.to_toml()?.as_bytes())?;
    let mut results = Results::default();
    for cell in &cells {
        if let Some(record) = CellRecord::read(&options.out, *cell)? {
            results.insert(cell.folder(), record.metrics);
        }
    }
    let mut work = Work::new(&plan, options, &at_hand)?;
    let mut report = Report::new(&plan, origins(&plan, &options.out)?, dataset, &results)?;
    for (index, cell) in wanted.iter().enumerate() {
        if let Some(signal) = signals::left() {
            let (name, done, cells) = (signals::name(signal), index, wanted.len());
            return Err(Error::InterruptedTable { signal, name, done, cells, path: options.out.clone() });
        }
        if !options.quiet {
            eprintln!("[{}/{}] {}", index + 1, wanted.len(), cell.folder().display());
        }
        results.insert(cell.folder(), work.cell(*cell)?.metrics);
        report = Report::new(&plan, origins(&plan, &options.out)?, dataset, &results)?;
        write(&options.out, &report)?;
    }
    Ok(report)
}

/// The cells of the rows that are asked for.
fn wanted<'a>(cells: &[Cell<'a>], options: &TableOptions) -> Result<Vec<Cell<'a>>, Error> {
    if let Some(row) = options.only.iter().find(|row| cells.iter().all(|cell| cell.row != **row)) {
        let reason = format!("it has no row {row}; [[labels]] lists its rows");
        return Err(Error::Recipe { origin: options.recipe.clone(), reason });
    }
    let is_wanted = |cell: &Cell<'_>| options.only.is_empty() || options.only.contains(&cell.row);
    Ok(cells.iter().copied().filter(is_wanted).collect())
}

/// Makes and locks the folder of a table; one that holds something else is left alone.
fn open(path: &Path) -> Result<RunFolder, Error> {
    let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let mut names = entries.map(|entry| entry.file_name());
    if !path.join(TABLE_FILE).exists() && names.any(|name| !name.to_string_lossy().starts_with('.')) {
        let reason = "it is not empty and holds no table; name another folder".into();
        return Err(Error::Run { path: path.to_owned(), reason });
    }
    RunFolder::open(path, true)
}

fn write(folder: &Path, report: &Report) -> Result<(), Error> {
    write_atomically(&folder.join("table.md"), markdown(report).as_bytes())?;
    write_atomically(&folder.join("table.csv"), &sheet::csv(report)?)?;
    write_json(&folder.join("table.json"), report)?;
    picture::draw(folder, report)
}
