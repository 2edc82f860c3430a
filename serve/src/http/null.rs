//! `null` for what a client's user did not set, which many serialisers write: it stands for nothing.

use serde::{Deserialize, Deserializer};

/// The value, or its default for `null`.
///
/// # Errors
/// Those of the value.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
