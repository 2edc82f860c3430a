//! The nearest vectors by cosine, exact.

use super::outputs::Rows;
use crate::Error;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

/// Queries that are compared with the whole bank at once.
const QUERIES: usize = 128;

/// A vector of the bank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Near {
    /// Its place in the bank.
    pub(crate) index: usize,
    /// Its cosine with the query.
    pub(crate) cosine: f32,
}

/// The `k` vectors of the bank that are nearest to every query, the nearest first; of equal ones the first of the bank.
///
/// It is computed on the CPU, whatever device made the vectors, since other devices may round products to fewer digits.
pub(crate) fn nearest(bank: &Rows, queries: &Rows, k: usize) -> Result<Vec<Vec<Near>>, Error> {
    let device = Device::flex();
    let matrix = |values: Vec<f32>, width: usize| -> Tensor<2> {
        let rows = values.len() / width.max(1);
        Tensor::from_data(TensorData::new(values, [rows, width]), &device)
    };
    let bank = matrix(normalised(&bank.values, bank.width), bank.width).transpose();
    let mut found = Vec::with_capacity(queries.len());
    for block in queries.values.chunks(QUERIES * queries.width.max(1)) {
        let cosines = matrix(normalised(block, queries.width), queries.width).matmul(bank.clone());
        let [_, width] = cosines.dims();
        let cosines: Vec<f32> = cosines
            .try_into_vec_as()
            .map_err(|error| Error::Device { what: "cosines of vectors", reason: format!("{error:?}") })?;
        let rows: Vec<&[f32]> = cosines.chunks_exact(width.max(1)).collect();
        found.par_extend(rows.into_par_iter().map(|row| largest(row, k)));
    }
    Ok(found)
}

fn largest(cosines: &[f32], k: usize) -> Vec<Near> {
    let mut near: Vec<Near> = Vec::with_capacity(k + 1);
    for (index, cosine) in cosines.iter().copied().enumerate() {
        if near.len() < k || near.last().is_some_and(|last| cosine > last.cosine) {
            let place = near.partition_point(|other| other.cosine >= cosine);
            near.insert(place, Near { index, cosine });
            near.truncate(k);
        }
    }
    near
}

fn normalised(values: &[f32], width: usize) -> Vec<f32> {
    let unit = |row: &[f32]| {
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        row.iter().map(|value| value / norm).collect::<Vec<_>>()
    };
    values.chunks_exact(width.max(1)).flat_map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_of_equal_ones_the_first_of_the_bank() {
        let bank = Rows { width: 2, values: vec![0.0, 2.0, 3.0, 0.0, 1.0, 1.0, 5.0, 0.0, -1.0, 0.0] };
        let queries = Rows { width: 2, values: vec![0.1, 0.0, 0.0, -7.0] };
        let found = nearest(&bank, &queries, 3).unwrap();
        let places = |query: usize| found[query].iter().map(|near| near.index).collect::<Vec<_>>();
        assert_eq!((places(0), places(1)), (vec![1, 3, 2], vec![1, 3, 4]));
        assert!((found[0][2].cosine - 0.5f32.sqrt()).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn many_queries_find_what_one_finds() {
        let vector = |seed: usize| (0..5).map(move |place| ((seed * 37 + place * 11) % 23) as f32 - 11.0);
        let rows = |count: usize| Rows { width: 5, values: (0..count).flat_map(vector).collect() };
        let (bank, queries) = (rows(40), rows(3 * QUERIES / 2));
        let together = nearest(&bank, &queries, 7).unwrap();
        assert_eq!(together.len(), 3 * QUERIES / 2);
        for (query, found) in queries.iter().zip(&together) {
            let alone = nearest(&bank, &Rows { width: 5, values: query.to_vec() }, 7).unwrap();
            let gap = alone[0].iter().zip(found).map(|(a, b)| (a.cosine - b.cosine).abs()).fold(0.0, f32::max);
            assert!(alone[0].len() == 7 && found.len() == 7 && gap < 1e-6, "{gap}: {alone:?} {found:?}");
        }
    }
}
