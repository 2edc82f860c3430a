//! What a request to load a model may carry.

use crate::Error;

/// Refuses the parameters of a load: files and configurations in a request are not taken.
///
/// # Errors
/// [`Error::Invalid`] names the first parameter.
pub fn without_parameters<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let Some(name) = names.next() else { return Ok(()) };
    let reason = format!("parameter \"{name}\" is not taken; put the model into the store and load it from there");
    Err(Error::invalid("parameters", reason))
}
