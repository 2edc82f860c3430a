//! Opening one model without a server.

use super::Model;
use crate::Error;
use crate::config::Config;
use crate::preprocess::Reading;
use crate::runtime::{Options, choose};
use crate::store::{self, MODEL_FILE};
use std::path::{Path, PathBuf};

/// Options of [`open`].
#[derive(Clone, Debug, PartialEq)]
pub struct OpenOptions {
    /// Name of the model, for a store that holds several.
    pub model: Option<String>,
    /// Runtime, device and threads.
    pub runtime: Options,
    /// How image files are read.
    pub reading: Reading,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { model: None, runtime: Options::default(), reading: Reading::from(&Config::default()) }
    }
}

/// Opens a model: `path` is an ONNX file, the folder of a version, the folder of a model, or a store. Of several versions it is the
/// one that a server would let answer, by the rules of the store.
///
/// # Errors
/// Nothing or too much is at `path`, the rules cannot be followed, or the model cannot be loaded.
pub fn open(path: &Path, options: &OpenOptions) -> Result<Model, Error> {
    let file = find(path, options.model.as_deref())?;
    Model::load(&file, &choose(&options.runtime)?, &options.runtime, options.reading)
}

fn find(path: &Path, model: Option<&str>) -> Result<PathBuf, Error> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let inside = path.join(MODEL_FILE);
    if inside.is_file() {
        return Ok(inside);
    }
    if let Ok(entry) = store::entry(String::new(), path) {
        return entry.live().map(Path::to_owned);
    }
    let entries = store::scan(path)?;
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let wrong = |reason: String| Error::Store { path: path.to_owned(), reason };
    match model {
        Some(name) => match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => entry.live().map(Path::to_owned),
            None => Err(wrong(format!("no model \"{name}\" in it; there are {}", names.join(", ")))),
        },
        None => match &entries[..] {
            [only] => only.live().map(Path::to_owned),
            _ => Err(wrong(format!("it holds several models; name one of {}", names.join(", ")))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn of_several_versions_the_live_one_is_found() {
        let root = tempfile::tempdir().unwrap();
        let file = |version: u64| root.path().join(format!("m/{version}/model.onnx"));
        for version in [3, 4, 10] {
            fs::create_dir_all(file(version).parent().unwrap()).unwrap();
            fs::write(file(version), b"").unwrap();
        }
        let found = || ["m", ""].map(|path| find(&root.path().join(path), None).map_err(|error| error.to_string()));
        assert_eq!(found(), [Ok(file(10)), Ok(file(10))], "without rules the highest");
        let rules = |text: &str| fs::write(root.path().join("m/versions.toml"), text).unwrap();
        rules("shadow = 10\ncanary_percent = 100\n[labels]\nstable = 3\ncanary = 4\n");
        assert_eq!(found(), [Ok(file(3)), Ok(file(3))]);
        assert_eq!(find(&root.path().join("m/10"), None).unwrap(), file(10), "one that is named");
        rules("[labels]\nstable = 5\n");
        for wrong in found() {
            let reason = wrong.unwrap_err();
            assert!(reason.contains("versions.toml") && reason.contains("in the store are 3, 4, 10"), "{reason}");
        }
    }

    #[test]
    fn a_model_is_found_from_every_level() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("m/2/model.onnx");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"").unwrap();
        for path in ["m/2/model.onnx", "m/2", "m", ""] {
            assert_eq!(find(&root.path().join(path), None).unwrap(), file, "{path:?}");
        }
        fs::create_dir_all(root.path().join("n/1")).unwrap();
        fs::write(root.path().join("n/1/model.onnx"), b"").unwrap();
        assert_eq!(find(root.path(), Some("m")).unwrap(), file);
        for (model, expected) in [(None, "name one of m, n"), (Some("x"), "no model \"x\"")] {
            let message = find(root.path(), model).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
