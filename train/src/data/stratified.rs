//! Few labels: the same share of every class.

use super::DataError;
use super::random::{Purpose, stream};
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Chooses a share of the images, the same of every class up to rounding and at least one; the positions come sorted.
///
/// The order in which a class gives its images depends on the seed alone, so that a smaller share is a part of a larger one.
/// # Errors
/// The share is not in (0, 1], or there are no labels.
pub fn stratified(labels: &[u32], fraction: f64, seed: u64) -> Result<Vec<usize>, DataError> {
    if !(fraction > 0.0 && fraction <= 1.0) {
        return Err(DataError::Fraction { fraction });
    }
    if labels.is_empty() {
        return Err(DataError::NoLabels);
    }
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, &label) in labels.iter().enumerate() {
        classes.entry(label).or_default().push(index);
    }
    let mut chosen = Vec::new();
    for (class, mut members) in classes {
        members.shuffle(&mut stream(Purpose::Labels, seed, [class.into(), 0]));
        let count = ((members.len() as f64 * fraction).round() as usize).max(1);
        chosen.extend(members.into_iter().take(count));
    }
    chosen.sort_unstable();
    Ok(chosen)
}

#[cfg(test)]
mod tests;
