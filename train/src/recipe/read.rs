//! From a name or a file to a recipe.

use super::settings::nearest_key;
use super::{BUILTIN, Recipe};
use crate::Error;
use std::path::Path;

impl Recipe {
    /// Reads a recipe that comes with the crate by its name, or any other from a file, and checks it.
    ///
    /// # Errors
    /// [`Error::Recipe`] says which key is wrong, where, and which known key is nearest; [`Error::Io`] when there is no
    /// such file.
    pub fn open(name_or_path: &str) -> Result<Self, Error> {
        match BUILTIN.iter().find(|(name, _)| *name == name_or_path) {
            Some((name, text)) => Self::parse(text, name),
            None => Self::read(Path::new(name_or_path)),
        }
    }

    /// Reads a recipe from a file and checks it.
    ///
    /// # Errors
    /// As [`Recipe::open`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let origin = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &origin),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let names: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
                let reason =
                    format!("there is no such file, and no recipe of that name; there are {}", names.join(", "));
                Err(Error::Recipe { origin, reason })
            }
            Err(error) => Err(Error::io("cannot read", path)(error)),
        }
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
