//! The same share of every class: few labels, and images that are taken out of training.

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
    let mut chosen = Vec::new();
    for members in shuffled(labels, Purpose::Labels, seed) {
        let count = ((members.len() as f64 * fraction).round() as usize).max(1);
        chosen.extend(members.into_iter().take(count));
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// Divides images into those that stay and those that are taken out, a share of every class; the positions come sorted.
/// At least one image of every class that has two is on either side.
pub(crate) fn take_out(labels: &[u32], fraction: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let (mut stay, mut taken) = (Vec::new(), Vec::new());
    for members in shuffled(labels, Purpose::Validation, seed) {
        let most = members.len() - 1;
        let count = ((members.len() as f64 * fraction).round() as usize).clamp(most.min(1), most);
        taken.extend_from_slice(&members[..count]);
        stay.extend_from_slice(&members[count..]);
    }
    stay.sort_unstable();
    taken.sort_unstable();
    (stay, taken)
}

/// The positions of every class in random order.
fn shuffled(labels: &[u32], purpose: Purpose, seed: u64) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, &label) in labels.iter().enumerate() {
        classes.entry(label).or_default().push(index);
    }
    let shuffle = |(class, mut members): (u32, Vec<usize>)| {
        members.shuffle(&mut stream(purpose, seed, [class.into(), 0]));
        members
    };
    classes.into_iter().map(shuffle).collect()
}

#[cfg(test)]
mod tests;
