//! Which cells of the grid are masked in each image of a batch.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::seq::SliceRandom;

/// The masked and the visible cells of every image of a batch, the same number in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Images.
    pub batch: usize,
    /// Cells of the grid.
    pub cells: usize,
    /// Masked cells of each image, image after image.
    pub masked: Vec<usize>,
    /// Visible cells of each image, image after image, ascending.
    pub visible: Vec<usize>,
}

impl Mask {
    /// Masks `masked` of `cells` cells of each image at random.
    ///
    /// # Panics
    /// When `masked` is more than `cells`.
    ///
    /// # Source
    /// Trinh et al. 2019, section 2.
    pub fn random(batch: usize, cells: usize, masked: usize, rng: &mut impl rand::Rng) -> Self {
        let mut mask = Self { batch, cells, masked: Vec::new(), visible: Vec::new() };
        let mut order: Vec<usize> = (0..cells).collect();
        for _ in 0..batch {
            order.shuffle(rng);
            let (hidden, rest) = order.split_at(masked);
            mask.masked.extend(hidden);
            let first = mask.visible.len();
            mask.visible.extend(rest);
            mask.visible[first..].sort_unstable();
        }
        mask
    }

    /// Masked cells of one image.
    pub fn masked_per_image(&self) -> usize {
        self.masked.len() / self.batch.max(1)
    }

    /// Cell numbers as a tensor, `[cells.len()]`.
    pub(crate) fn positions(cells: &[usize], device: &Device) -> Tensor<1, Int> {
        integers(cells.iter().map(|cell| *cell as i64).collect(), device)
    }

    /// Row numbers of the cells in a `[batch * cells, ..]` tensor, `[cells.len()]`.
    pub(crate) fn rows(&self, cells: &[usize], device: &Device) -> Tensor<1, Int> {
        let per_image = (cells.len() / self.batch.max(1)).max(1);
        let rows = cells.iter().enumerate().map(|(index, cell)| (index / per_image * self.cells + cell) as i64);
        integers(rows.collect(), device)
    }
}

fn integers(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn every_cell_is_masked_or_visible_once() {
        let mask = Mask::random(5, 16, 4, &mut ChaCha8Rng::seed_from_u64(3));
        for image in 0..5 {
            let mut all = [&mask.masked[image * 4..][..4], &mask.visible[image * 12..][..12]].concat();
            all.sort_unstable();
            assert_eq!(all, (0..16).collect::<Vec<_>>(), "image {image}");
        }
        assert_ne!(mask.masked[..4], mask.masked[4..8]);
    }

    #[test]
    fn rows_count_through_the_batch() {
        let mask = Mask { batch: 2, cells: 3, masked: vec![1, 0], visible: vec![0, 2, 1, 2] };
        let rows = mask.rows(&mask.visible, &Device::flex()).into_data().iter::<i64>().collect::<Vec<_>>();
        assert_eq!(rows, [0, 2, 4, 5]);
    }
}
