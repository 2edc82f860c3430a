//! A map of a gallery: its vectors on the two directions in which they differ most.
//!
//! Vectors are brought to length 1 first, as a search by cosine compares them.

mod lanczos;
mod plane;
mod sample;
mod tridiagonal;

use super::Gallery;
use plane::Plane;
use sample::Sample;

/// Most points of a map.
const MAX_POINTS: usize = 20_000;
/// Most numbers that the directions are found from.
const MAX_NUMBERS: usize = 1 << 25;

/// The vectors of a gallery in two dimensions.
pub struct Map {
    /// Number of vectors that the directions were found from: all of them, or evenly chosen ones of a large gallery.
    pub sample: usize,
    /// The part of the whole variance that each direction has.
    pub shares: [f64; 2],
    /// Which vectors have a point: all of them, or evenly chosen ones.
    pub rows: Vec<usize>,
    /// Their points.
    pub points: Vec<[f32; 2]>,
    plane: Plane,
}

impl Map {
    pub(super) fn of(gallery: &Gallery) -> Self {
        Self::within(gallery, MAX_NUMBERS, MAX_POINTS)
    }

    fn within(gallery: &Gallery, max_numbers: usize, max_points: usize) -> Self {
        let sample = even(gallery.len(), max_numbers / gallery.width());
        let (plane, shares) = Plane::of(&Sample { gallery, rows: &sample });
        let rows = even(gallery.len(), max_points);
        let points = rows.iter().map(|row| plane.point(gallery.vector(*row))).collect();
        Self { sample: sample.len(), shares, rows, points, plane }
    }

    /// The place of any vector on the map.
    pub fn point(&self, vector: &[f32]) -> [f32; 2] {
        self.plane.point(vector)
    }
}

/// At most `most` of `len` rows, and two at least where there are two: the `i`-th of `n` is row `i * len / n`, rounded down.
fn even(len: usize, most: usize) -> Vec<usize> {
    let count = len.min(most.max(2));
    (0..count).map(|place| place * len / count).collect()
}

#[cfg(test)]
mod tests;
