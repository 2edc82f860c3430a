//! Labels that do not look right: their image has nothing but images of another class around it, or a near twin there.

use super::look::{Fingerprint, Look};
use super::sample::Sample;
use super::twins::Twin;
use rayon::prelude::*;
use serde::Serialize;

/// Nearest images that must all be of one other class.
const NEAREST: usize = 10;
/// Images that every image is compared with, at most; of a larger set they are spread evenly.
const COMPARED: usize = 20_000;

/// An image whose label is worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suspect {
    /// The image.
    pub image: String,
    /// Its class.
    pub label: String,
    /// The class of what looks like it.
    pub looks_like: String,
    /// The near twin of that class; none where the ten nearest small pictures are all of it.
    pub twin: Option<String>,
}

/// The images whose labels are worth a look: those with a near twin of another class, then those among ten of another class.
pub(super) fn suspects(looks: &[Look], samples: &[(usize, &Sample)], twins: &[Twin], names: &[String]) -> Vec<Suspect> {
    if names.len() < 2 {
        return Vec::new();
    }
    let name = |label: i64| usize::try_from(label).ok().and_then(|label| names.get(label)).cloned().unwrap_or_default();
    let suspect = |image: usize, other: i64, twin: Option<String>| {
        let sample = samples[image].1;
        Suspect { image: sample.name(), label: name(sample.label), looks_like: name(other), twin }
    };
    let near = twins.iter().filter(|twin| !twin.exact).filter_map(|twin| {
        let (own, earlier) = (samples[twin.image].1, samples[twin.earlier].1);
        (own.label != earlier.label).then(|| suspect(twin.image, earlier.label, Some(earlier.name())))
    });
    let fingerprints: Vec<Fingerprint> = looks.iter().map(|look| look.fingerprint).collect();
    let labels: Vec<i64> = samples.iter().map(|(_, sample)| sample.label).collect();
    let agreed = agreed(&fingerprints, &labels);
    let among = (0..).zip(agreed).filter_map(|(image, agreed)| {
        let other = agreed.filter(|other| *other != labels[image])?;
        Some(suspect(image, other, None))
    });
    near.chain(among).collect()
}

/// For every image the label that its nearest images have, where all of them have one.
pub(super) fn agreed(fingerprints: &[Fingerprint], labels: &[i64]) -> Vec<Option<i64>> {
    let step = fingerprints.len().div_ceil(COMPARED).max(1);
    let nearest = |(image, own): (usize, &Fingerprint)| {
        let mut near: Vec<(u32, usize)> = Vec::with_capacity(NEAREST + 1);
        for (other, fingerprint) in fingerprints.iter().enumerate().step_by(step).filter(|(other, _)| *other != image) {
            let distance = own.distance(fingerprint);
            if near.len() < NEAREST || near.last().is_some_and(|(last, _)| distance < *last) {
                near.insert(near.partition_point(|(known, _)| *known <= distance), (distance, other));
                near.truncate(NEAREST);
            }
        }
        let mut found = near.iter().map(|(_, other)| labels[*other]);
        let first = found.next()?;
        (near.len() == NEAREST && found.all(|label| label == first)).then_some(first)
    };
    fingerprints.par_iter().enumerate().map(nearest).collect()
}
