//! The model that a request names.

use crate::Error;
use crate::engine::{Engine, Served};
use std::sync::Arc;

/// The model of this name, in this version if one is given.
///
/// # Errors
/// The name or the version is unknown, or the model was refused.
pub fn find(engine: &Engine, name: &str, version: Option<&str>) -> Result<Arc<Served>, Error> {
    let wrong = |version| Error::invalid("version", format!("version \"{version}\" is not a whole number"));
    let version = version.map(|version| version.parse::<u64>().map_err(|_| wrong(version))).transpose()?;
    engine.find(Some(name), version)
}
