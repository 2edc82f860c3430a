//! Class names in a file beside the images.

use super::DataError;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// The file of class names in a folder, one a line, in the order of the labels.
pub(crate) const CLASS_NAMES: &str = "labels.txt";

/// The class names of a folder, where it has the file.
pub(crate) fn class_names(folder: &Path) -> Result<Option<Vec<String>>, DataError> {
    let path = folder.join(CLASS_NAMES);
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(DataError::io("read", &path))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let problem = |problem: String| DataError::ClassNames { path: path.clone(), problem };
    if names.is_empty() {
        return Err(problem("there is no class name in it".to_owned()));
    }
    let mut known = HashSet::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() || !known.insert(name) {
            let what = if name.is_empty() { "is empty".to_owned() } else { format!("repeats the name {name:?}") };
            return Err(problem(format!("line {} {what}", index + 1)));
        }
    }
    Ok(Some(names))
}
