//! A gallery of random directions, and what must be found in one: brute force in 64-bit floats, one row after the other.

use crate::gallery::Gallery;
use crate::npy;
use crate::offline::ids_path;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const SEED: u64 = 1;
/// How far a query is from the vector that it is made of, in parts of that vector's length.
const DISTANCE: f64 = 0.5;
/// Sums of other orders differ in the last digits of 64 bits; JSON keeps all of them.
const SCORE_TOLERANCE: f64 = 1e-9;

/// A query and its neighbours.
pub struct Query {
    /// What is searched for.
    pub vector: Vec<f32>,
    /// Names and cosines, nearest first.
    neighbours: Vec<(String, f64)>,
}

/// Writes vectors of length 1 in random directions into a folder and gives the path of the file.
///
/// # Errors
/// What the system said.
pub fn write(folder: &Path, vectors: usize, width: usize) -> std::io::Result<PathBuf> {
    let path = folder.join("gallery.npy");
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut file = BufWriter::new(File::create(&path)?);
    file.write_all(&npy::header(vectors, width))?;
    for _ in 0..vectors {
        for value in direction(&mut random, width) {
            file.write_all(&(value as f32).to_le_bytes())?;
        }
    }
    file.flush()?;
    let ids: Vec<String> = (0..vectors).map(|row| row.to_string()).collect();
    fs::write(ids_path(&path), json!({"ids": ids}).to_string())?;
    Ok(path)
}

/// Queries near vectors of a gallery, with what must be found.
pub fn queries(gallery: &Gallery, count: usize, k: usize) -> Vec<Query> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let vectors: Vec<Vec<f32>> = (0..count)
        .map(|_| {
            let row = gallery.vector(random.random_range(0..gallery.len()));
            let aside = direction(&mut random, row.len());
            let scale = DISTANCE * length(row);
            row.iter().zip(aside).map(|(value, aside)| (f64::from(*value) + scale * aside) as f32).collect()
        })
        .collect();
    vectors.into_par_iter().map(|vector| Query { neighbours: nearest(gallery, &vector, k), vector }).collect()
}

fn nearest(gallery: &Gallery, vector: &[f32], k: usize) -> Vec<(String, f64)> {
    let mut all: Vec<(usize, f64)> = (0..gallery.len()).map(|row| (row, cosine(vector, gallery.vector(row)))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all.into_iter().take(k).map(|(row, score)| (gallery.ids[row].clone(), score)).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let lengths = length(a) * length(b);
    let dot: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    if lengths > 0.0 { dot / lengths } else { 0.0 }
}

fn length(vector: &[f32]) -> f64 {
    vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

/// A vector of length 1; all directions are alike.
///
/// # Source
/// Box and Muller 1958: normal numbers from uniform ones.
fn direction(random: &mut ChaCha8Rng, width: usize) -> Vec<f64> {
    let normal = |_| {
        let [radius, angle]: [f64; 2] = random.random();
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    };
    let vector: Vec<f64> = (0..width).map(normal).collect();
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    vector.into_iter().map(|value| value / length).collect()
}

impl Query {
    /// Whether an answer of the server is what brute force finds, in its order.
    ///
    /// # Errors
    /// What it holds instead.
    pub fn check(&self, body: &[u8]) -> Result<(), String> {
        let answer: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let found = answer["data"][0]["neighbours"].as_array().ok_or("the answer holds no neighbours")?;
        let same = |found: &Value, (id, score): &(String, f64)| {
            let near = |found: f64| (found - score).abs() <= SCORE_TOLERANCE;
            found["id"] == id.as_str() && found["score"].as_f64().is_some_and(near)
        };
        let all = found.len() == self.neighbours.len();
        match all && found.iter().zip(&self.neighbours).all(|(found, expected)| same(found, expected)) {
            true => Ok(()),
            false => Err(format!("it found {found:?}, expected {:?}", self.neighbours)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gallery_is_read_back_and_brute_force_agrees_with_the_search() {
        let folder = tempfile::tempdir().unwrap();
        let gallery = Gallery::open(&write(folder.path(), 500, 24).unwrap()).unwrap();
        assert_eq!((gallery.len(), gallery.width()), (500, 24));
        for query in queries(&gallery, 4, 5) {
            let hits = gallery.search(std::slice::from_ref(&query.vector), 5, None).remove(0);
            let data: Vec<Value> =
                hits.iter().map(|hit| json!({"id": gallery.ids[hit.row], "score": hit.score})).collect();
            let answer = |data: &[Value]| json!({"data": [{"neighbours": data}]}).to_string();
            assert_eq!(query.check(answer(&data).as_bytes()), Ok(()));
            let swapped = [&data[1..2], &data[..1], &data[2..]].concat();
            assert!(query.check(answer(&swapped).as_bytes()).is_err(), "the order counts");
            assert!(query.check(answer(&data[1..]).as_bytes()).is_err(), "the number counts");
            assert!(query.check(b"{}").is_err());
        }
    }
}
