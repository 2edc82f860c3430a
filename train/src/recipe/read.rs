//! From a name or a file to a recipe.

use super::settings::nearest_key;
use super::{BUILTIN, Recipe};
use crate::Error;
use std::path::Path;

/// The text behind a name that comes with the crate, or else that of a file; `kind` is what it is called where there is neither.
///
/// # Errors
/// [`Error::Recipe`] with the names there are, or [`Error::Io`] when the file cannot be read.
pub(crate) fn text(name_or_path: &str, builtin: &[(&str, &str)], kind: &str) -> Result<String, Error> {
    if let Some((_, text)) = builtin.iter().find(|(name, _)| *name == name_or_path) {
        return Ok((*text).to_owned());
    }
    let path = Path::new(name_or_path);
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let names: Vec<&str> = builtin.iter().map(|(name, _)| *name).collect();
            let reason = format!("there is no such file, and no {kind} of that name; there are {}", names.join(", "));
            Error::Recipe { origin: name_or_path.to_owned(), reason }
        }
        _ => Error::io("cannot read", path)(error),
    })
}

impl Recipe {
    /// Reads a recipe that comes with the crate by its name, or any other from a file, and checks it.
    ///
    /// # Errors
    /// [`Error::Recipe`] says which key is wrong, where, and which known key is nearest; [`Error::Io`] when a file cannot be read.
    pub fn open(name_or_path: &str) -> Result<Self, Error> {
        Self::parse(&text(name_or_path, BUILTIN, "recipe")?, name_or_path)
    }

    /// Reads a recipe from a file and checks it.
    ///
    /// # Errors
    /// As [`Recipe::open`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::io("cannot read", path))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Parses a recipe and checks it; `origin` names it in errors.
    ///
    /// # Errors
    /// [`Error::Recipe`] says which key is wrong, where, and which known key is nearest.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Recipe { origin: origin.to_owned(), reason };
        let recipe: Self = toml::from_str(text).map_err(|error| {
            let hint = nearest_key(error.message());
            wrong(format!("{}{hint}", error.to_string().trim_end()))
        })?;
        recipe.check().map_err(wrong)?;
        Ok(recipe)
    }

    /// The recipe as TOML, defaults included.
    ///
    /// # Errors
    /// [`Error::Recipe`] when a number does not fit TOML.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self).map_err(|error| Error::Recipe { origin: self.name.clone(), reason: error.to_string() })
    }
}
