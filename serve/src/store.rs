//! The model store: `<store>/<model>/<integer version>/model.onnx`, the layout that Triton users have already.

mod rules;

pub use rules::{CANARY, RULES_FILE, Rules, STABLE};

use crate::Error;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Name of the model file in a version's folder.
pub const MODEL_FILE: &str = "model.onnx";

const LAYOUT: &str = "expected <store>/<model>/<integer version>/model.onnx";

/// One model of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name of the model: the name of its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// The highest version, which is the one that is served unless the rules say otherwise.
    pub version: u64,
    /// Its file.
    pub path: PathBuf,
    /// Every version that is there, with its file.
    pub versions: BTreeMap<u64, PathBuf>,
}

/// What changes when a version does: name, length and time of each of its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(Vec<(OsString, u64, Option<SystemTime>)>);

/// What changes when something does that decides what is served: the rules, and the files of every version that they want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    rules: Result<String, ErrorKind>,
    versions: BTreeMap<u64, Files>,
}

impl Files {
    /// When the model's own file was written, where the system says it.
    pub fn written(&self) -> Option<SystemTime> {
        self.0.iter().find(|(name, ..)| name == MODEL_FILE)?.2
    }
}

impl Entry {
    /// Which versions are served.
    ///
    /// # Errors
    /// The file of the rules cannot be read or followed.
    pub fn rules(&self) -> Result<Rules, Error> {
        Rules::read(&self.folder, &self.versions)
    }

    /// The file of the version that answers requests which name none.
    ///
    /// # Errors
    /// The file of the rules cannot be read or followed.
    pub fn live(&self) -> Result<&Path, Error> {
        Ok(self.file(self.rules()?.live(self.version)))
    }

    /// The file of a version, or of the highest one when it is not there.
    pub fn file(&self, version: u64) -> &Path {
        self.versions.get(&version).unwrap_or(&self.path)
    }

    /// The files of a version. One that cannot be looked at is not among them.
    pub fn files(&self, version: u64) -> Files {
        let folder = self.versions.get(&version).and_then(|path| path.parent());
        let file = |item: fs::DirEntry| {
            // Through links: a store may link to files that are elsewhere.
            let metadata = fs::metadata(item.path()).ok()?;
            Some((item.file_name(), metadata.len(), metadata.modified().ok()))
        };
        let items = folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        let mut files: Vec<_> = items.filter_map(file).collect();
        files.sort();
        Files(files)
    }

    /// The fingerprint of what the rules want; with rules that cannot be followed that of the highest version.
    pub fn fingerprint(&self) -> Fingerprint {
        let wanted = self.rules().unwrap_or_default().wanted(self.version);
        let versions = wanted.into_iter().map(|version| (version, self.files(version))).collect();
        Fingerprint { rules: fs::read_to_string(self.folder.join(RULES_FILE)).map_err(|error| error.kind()), versions }
    }
}

/// The models of a store in the order of their names. A folder without a version is left out, and the log says so: a file system
/// may have folders of its own in it, such as `lost+found`.
///
/// # Errors
/// [`Error::Store`] when the folder cannot be read or holds no model.
pub fn scan(root: &Path) -> Result<Vec<Entry>, Error> {
    let (mut entries, mut refusals) = (Vec::new(), Vec::new());
    for (name, folder) in models(root)? {
        match entry(name, &folder) {
            Ok(entry) => entries.push(entry),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if entries.is_empty() {
        let reason = format!("no model in it; {LAYOUT}. `selfie export RUN --out STORE` puts one there");
        return Err(refusals.pop().unwrap_or(Error::Store { path: root.to_owned(), reason }));
    }
    for refusal in refusals {
        tracing::warn!("{refusal}; it is left out");
    }
    Ok(entries)
}

/// As [`scan`] for a store that is at work: a folder without a version is one that is being filled, and an empty store nothing new.
///
/// # Errors
/// [`Error::Store`] when the folder cannot be read.
pub fn present(root: &Path) -> Result<Vec<Entry>, Error> {
    Ok(models(root)?.into_iter().filter_map(|(name, folder)| entry(name, &folder).ok()).collect())
}

/// Names and folders of models, in the order of the names.
fn models(root: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let name = |folder: PathBuf| (folder.file_name().unwrap_or_default().to_string_lossy().into_owned(), folder);
    let mut models: Vec<_> = folders(root)?.into_iter().map(name).filter(|(name, _)| !name.starts_with('.')).collect();
    models.sort();
    Ok(models)
}

/// The model in the folder `folder`, which holds one folder for each version. Its name is the number as one writes it: `01` beside `1`
/// would be a second version 1.
///
/// # Errors
/// [`Error::Store`] when it holds no version.
pub fn entry(name: String, folder: &Path) -> Result<Entry, Error> {
    let versions: BTreeMap<u64, PathBuf> = folders(folder)?
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            let version = name.parse().ok().filter(|version: &u64| version.to_string() == name)?;
            let file = path.join(MODEL_FILE);
            file.is_file().then_some((version, file))
        })
        .collect();
    match versions.last_key_value() {
        Some((&version, path)) => Ok(Entry { name, folder: folder.to_owned(), version, path: path.clone(), versions }),
        None => Err(Error::Store { path: folder.to_owned(), reason: format!("no version in it; {LAYOUT}") }),
    }
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source: std::io::Error| Error::Store {
        path: path.to_owned(),
        reason: format!("cannot be read: {source}; {LAYOUT}"),
    };
    let mut folders = Vec::new();
    for item in fs::read_dir(path).map_err(unreadable)? {
        let item = item.map_err(unreadable)?.path();
        if item.is_dir() {
            folders.push(item);
        }
    }
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        root
    }

    #[test]
    fn the_highest_version_by_number_serves() {
        let files = ["b/9/model.onnx", "b/10/model.onnx", "b/notes/model.onnx", "b/11/other", "a/1/model.onnx"];
        let root = store(&[&files[..], &["b/012/model.onnx", "b/+13/model.onnx", "b/v14/model.onnx"]].concat());
        let entries = scan(root.path()).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.version)).collect();
        assert_eq!(names, [("a", 1), ("b", 10)]);
        assert!(entries[1].versions.keys().eq([9, 10].iter()));
        assert!(entries[1].path.ends_with("b/10/model.onnx"));
    }

    #[test]
    fn a_fingerprint_changes_with_every_file_that_is_wanted_and_with_the_rules() {
        let root = store(&["a/1/model.onnx"]);
        let found = || scan(root.path()).unwrap()[0].fingerprint();
        let put = |file: &str, text: &str| {
            let path = root.path().join("a").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let mut seen = vec![found()];
        assert_eq!(found(), seen[0]);
        let changes = [
            ("1/model.onnx", "more"),
            ("1/card.json", "{}"),
            ("2/model.onnx", ""),
            (RULES_FILE, "[labels]\nstable = 1"),
            ("1/card.json", "{ }"),
            (RULES_FILE, "[labels]\nstable = 7"),
            (RULES_FILE, "[labels]\nstable = 2"),
        ];
        for (file, text) in changes {
            put(file, text);
            seen.push(found());
        }
        for (index, one) in seen.iter().enumerate() {
            assert!(!seen[..index].contains(one), "{index}: {seen:?}");
        }
        put("1/card.json", "nobody wants it");
        assert_eq!(seen.last(), Some(&found()));
    }

    #[test]
    fn a_folder_that_is_being_filled_does_not_hide_the_others() {
        let root = store(&["b/1/model.onnx", "a/1/model.onnx.part", ".c/1/model.onnx", "lost+found/x"]);
        for found in [scan(root.path()), present(root.path())] {
            let names: Vec<_> = found.unwrap().into_iter().map(|entry| entry.name).collect();
            assert_eq!(names, ["b"]);
        }
    }

    #[test]
    fn an_unusable_store_says_what_is_expected() {
        let cases = [
            (store(&[]), "no model in it"),
            (store(&["model.onnx"]), "no model in it"),
            (store(&["a/model.onnx"]), "no version in it"),
            (store(&[".git/x"]), "no model in it"),
        ];
        for (root, expected) in cases {
            let message = scan(root.path()).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(LAYOUT), "{message:?} does not say {expected:?}");
        }
        let message = scan(Path::new("/does/not/exist")).unwrap_err().to_string();
        assert!(message.contains("cannot be read"), "{message}");
    }
}
