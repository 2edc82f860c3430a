//! A card for a foreign ONNX model: what it takes and gives is read from its own shapes and names and from the files that
//! Hugging Face puts beside models; then the model is run, and what it answered becomes its golden samples.
//!
//! | file | what it says |
//! |---|---|
//! | `graph` | the image input: type, layout, channels, size |
//! | `processor` | `preprocessor_config.json`: from image bytes to the input |
//! | `timm` | `config.json` of timm's models, which says the same |
//! | `labels` | `config.json`: the names of the classes |
//! | `outputs` | which output is the vector and which holds the class scores |
//! | `pooled` | one vector of those of tokens or places, where that is asked for; `added` puts it into the file |
//! | `prove` | the width of the outputs, and golden samples |

mod added;
pub(crate) mod graph;
mod labels;
pub(crate) mod outputs;
pub(crate) mod pooled;
mod processor;
mod prove;
mod timm;

pub use pooled::Pooling;

use crate::Error;
use crate::model_file::{self, CARD_FILE};
use crate::runtime::Options;
use selfie_models::Card;
use selfie_models::card::{CARD_KEY, CARD_VERSION, Provenance, Task};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A card that was made, and how it came about.
pub struct Made {
    /// The card.
    pub card: Card,
    /// Where each part comes from, a line each.
    pub reasons: Vec<String>,
}

/// Makes the card of the model at `path`. `name` is its name, or else that of its file or folder. With `pooling` the file gets an output
/// more, the vector of an image, once all else has gone well.
///
/// # Errors
/// The file is damaged, has a card, or is no model from one image to vectors or class scores; a file beside it is wrong; or
/// no runtime can run it.
pub fn card(path: &Path, name: Option<String>, pooling: Option<Pooling>, options: &Options) -> Result<Made, Error> {
    let wrong = |reason: String| Error::ModelFile { path: path.to_owned(), reason };
    let bytes = fs::read(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source })?;
    let model = model_file::decode(path, &bytes)?;
    if model.metadata_props.iter().any(|entry| entry.key == CARD_KEY) {
        return Err(wrong(format!("it carries its card already; a {CARD_FILE} beside it would win over that")));
    }
    let pooled = pooling.map(|pooling| pooled::add(&bytes, &model, pooling)).transpose().map_err(wrong)?;
    let aside = pooled.as_ref().map(|pooled| aside(path, &pooled.bytes)).transpose()?;
    let graph = pooled.as_ref().map_or(&model, |pooled| &pooled.model).graph.as_ref();
    let graph = graph.ok_or_else(|| wrong("it holds no graph".into()))?;
    let mut reasons = Vec::new();
    let image = graph::image(graph).map_err(wrong)?;
    let config = beside(path, labels::FILE);
    let read = match beside(path, processor::FILE) {
        Some(file) => Some(processor::read(&file)?),
        None => config.as_ref().map(|file| timm::read(file, image.size())).transpose()?.flatten(),
    };
    let input = image.input(read.as_ref().map(|read| &read.steps)).map_err(wrong)?;
    reasons.push(format!("input: \"{}\", {}", input.name, image.reason));
    let (preprocessing, reason) = match read {
        Some(read) => (read.for_channels(input.channels)?, format!("from {}", read.path.display())),
        None => processor::usual(&input),
    };
    reasons.push(format!("preprocessing: {reason}"));
    let labels = config.map(|file| labels::read(&file)).transpose()?.flatten();
    let added = pooled.as_ref().map(|pooled| pooled.name.as_str());
    let roles = outputs::roles(graph, labels.as_deref(), added).map_err(wrong)?;
    reasons.extend(pooled.as_ref().map(|pooled| pooled.reason.clone()));
    reasons.extend(roles.reasons.iter().cloned());
    let task = if roles.logits.is_some() { Task::ImageClassification } else { Task::ImageFeatureExtraction };
    let mut card = Card {
        card_version: CARD_VERSION,
        name: name.unwrap_or_else(|| usual_name(path)),
        task,
        input,
        outputs: roles.provisional(),
        preprocessing,
        provenance: Provenance::default(),
        golden: Vec::new(),
    };
    let runs = aside.as_ref().map_or(path, NamedTempFile::path);
    reasons.push(prove::prove(path, runs, graph, &mut card, labels, options)?);
    card.check().map_err(|source| Error::Card { path: path.to_owned(), source })?;
    if let Some(aside) = aside {
        aside.persist(path).map_err(|error| not_written(path)(error.error))?;
    }
    Ok(Made { card, reasons })
}

/// The bytes in a file of the same folder, where weights beside the model are found.
fn aside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // One that hides is no version of a store, and runtimes look at the end of the name.
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix(".").suffix(".onnx").tempfile_in(folder).map_err(not_written(path))?;
    if let Ok(metadata) = fs::metadata(path) {
        fs::set_permissions(file.path(), metadata.permissions()).map_err(not_written(path))?;
    }
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(not_written(path))?;
    Ok(file)
}

fn not_written(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io { action: "write", path: path.to_owned(), source }
}

/// What `parse` makes of the text of a file beside the model.
fn parsed<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source })?;
    parse(&text).map_err(|reason| Error::ModelFile { path: path.to_owned(), reason })
}

/// A file in the folder of the model or the one above it, where Hugging Face's repositories have it.
fn beside(path: &Path, name: &str) -> Option<PathBuf> {
    let folder = path.parent()?;
    let places = [folder.join(name), folder.join("..").join(name)];
    places.into_iter().find(|place| place.is_file())
}

/// The name of the file, or of the folder that says more: `<name>/<version>/model.onnx`, `<name>/onnx/model.onnx`.
fn usual_name(path: &Path) -> String {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut names = full.ancestors().filter_map(|part| part.file_stem()?.to_str().map(str::to_owned));
    let says_nothing = |name: &String| name == "model" || name == "onnx" || name.parse::<u64>().is_ok();
    names.find(|name| !says_nothing(name)).unwrap_or_else(|| "model".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_first_that_says_something() {
        for (path, expected) in [
            ("/s/resnet/1/model.onnx", "resnet"),
            ("/s/vit/onnx/model.onnx", "vit"),
            ("/s/squeezenet.onnx", "squeezenet"),
            ("/model.onnx", "model"),
        ] {
            assert_eq!(usual_name(Path::new(path)), expected, "{path}");
        }
    }
}
