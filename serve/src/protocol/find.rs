//! The model that a request names.

use crate::engine::{Engine, Served};
use crate::{Error, whole};
use std::sync::Arc;

/// The model of this name, in this version if one is given.
///
/// # Errors
/// The name or the version is unknown, or the model was refused.
pub fn find(engine: &Engine, name: &str, version: Option<&str>) -> Result<Arc<Served>, Error> {
    let wrong = |version| Error::invalid("version", format!("version \"{version}\" is not a whole number"));
    let version = version.map(|version| whole::parse(version).ok_or_else(|| wrong(version))).transpose()?;
    engine.find(Some(name), version)
}
