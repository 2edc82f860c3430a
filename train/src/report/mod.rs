//! The report of a run: one HTML file that refers to nothing outside and runs no script.
//!
//! Every section is one file and one line in `SECTIONS`; a section that has nothing to show is left out.
//!
//! | module | what it holds |
//! |---|---|
//! | `subject` | what a report is about: the run, its data and, when it is finished, its network |
//! | `summary`, `settings`, `curves`, `optimisation`, `throughput` | sections from what the run wrote down |
//! | `patches`, `attention`, `embeddings`, `confusion`, `mistakes` | sections from what the network says about images |
//! | `answers` | class and confidence of every test image |
//! | `pca`, `tsne` | vectors to points of a map |
//! | `page`, `text`, `picture` | HTML, numbers and times, PNG |
//! | `chart`, `marks` | line charts; colours and shapes of classes |

mod answers;
mod attention;
mod chart;
mod confusion;
mod curves;
mod embeddings;
mod marks;
mod mistakes;
mod optimisation;
mod page;
mod patches;
mod pca;
mod picture;
mod settings;
mod subject;
mod summary;
mod text;
mod throughput;
mod tsne;

pub(crate) use subject::{Subject, Trained};
pub use summary::quoted;

use crate::data;
use crate::run::{METRICS_FILE, REPORT_FILE, RUN_FILE, RunRecord, metrics, read_json, recipe_of};
use crate::{Error, evaluate};
use selfie_models::saved::{self, CARD_FILE, write_atomically};
use std::path::{Path, PathBuf};

/// A part of a report.
pub(crate) struct Section {
    /// Its name in links.
    id: &'static str,
    title: &'static str,
    /// Its HTML, or nothing where the run has nothing to show.
    draw: fn(&Subject<'_>) -> Result<Option<String>, Error>,
}

/// Every section, in the order of the page.
const SECTIONS: &[Section] = &[
    summary::SECTION,
    curves::SECTION,
    patches::SECTION,
    attention::SECTION,
    embeddings::SECTION,
    confusion::SECTION,
    mistakes::SECTION,
    optimisation::SECTION,
    throughput::SECTION,
    settings::SECTION,
];

/// What a report is asked for.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// Run folder.
    pub run: PathBuf,
    /// Data set instead of the one that the run was trained on.
    pub data: Option<String>,
    /// Device, as [`selfie_models::device::open`] takes it.
    pub device: String,
}

/// Writes the report of a run into its folder, anew if there is one, and gives its path. A run that is not finished has
/// no sections about its network.
///
/// # Errors
/// [`Error`] says what is wrong with the run folder or the data, or how they do not fit each other.
pub fn run(options: &ReportOptions) -> Result<PathBuf, Error> {
    let folder = &options.run;
    let recipe = recipe_of(folder)?;
    let record: RunRecord = read_json(&folder.join(RUN_FILE))?;
    let lines = match folder.join(METRICS_FILE) {
        path if path.exists() => metrics::read(&path)?,
        _ => Vec::new(),
    };
    let device = selfie_models::device::open(&options.device)?;
    let data = options.data.as_ref().unwrap_or(&recipe.data);
    let dataset = data::open_with(data, &recipe.images)?;
    let saved = match folder.join(CARD_FILE).exists() {
        true => Some(saved::load(folder, &device)?),
        false => None,
    };
    if let Some(saved) = &saved {
        evaluate::check(saved, &dataset).map_err(|reason| Error::Report { path: folder.clone(), reason })?;
    }
    let trained = saved.as_ref().map(|saved| Trained { network: &saved.network, config: &saved.config, device });
    let subject = Subject::new(&recipe, &record, &lines, data, &dataset, trained)?;
    write(folder, &subject)
}

/// Writes a report into a run folder.
pub(crate) fn write(folder: &Path, subject: &Subject<'_>) -> Result<PathBuf, Error> {
    let mut drawn = Vec::new();
    for section in SECTIONS {
        if let Some(body) = (section.draw)(subject)? {
            drawn.push((section, body));
        }
    }
    let path = folder.join(REPORT_FILE);
    write_atomically(&path, page::page(subject, &drawn).as_bytes())?;
    Ok(path)
}
