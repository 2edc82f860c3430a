//! The version that a request names.

use crate::engine::{Engine, Served, Which};
use crate::{Error, whole};
use std::sync::Arc;

/// The version in a request, if one is given.
///
/// # Errors
/// [`Error::Invalid`] when it is no number.
pub fn which(version: Option<&str>) -> Result<Which<'static>, Error> {
    let wrong = |version| Error::invalid("version", format!("version \"{version}\" is not a whole number"));
    let number = |version| whole::parse(version).map(Which::Version).ok_or_else(|| wrong(version));
    version.map_or(Ok(Which::Usual), number)
}

/// The model of this name, in this version if one is given, to look at; see [`Engine::find`].
///
/// # Errors
/// The name or the version is unknown, or the model was refused.
pub fn find(engine: &Engine, name: &str, version: Option<&str>) -> Result<Arc<Served>, Error> {
    engine.find(Some(name), which(version)?)
}

/// The model that answers a request for this name, in this version if one is given; see [`Engine::route`].
///
/// # Errors
/// Those of [`find`].
pub fn route(engine: &Engine, name: &str, version: Option<&str>) -> Result<Arc<Served>, Error> {
    engine.route(Some(name), which(version)?)
}
