//! Outputs of a network for every image of a split.

use crate::Error;
use crate::data::{DataError, Dataset, Split, batch_plain};
use burn::tensor::{Device, Tensor, TensorData};
use std::ops::Range;

/// Vectors of equal length, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) width: usize,
    pub(crate) values: Vec<f32>,
}

impl Rows {
    /// Number of vectors.
    pub(crate) fn len(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// The vectors at `indices`.
    ///
    /// # Panics
    /// When an index is not below [`Rows::len`].
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let row = |index: &usize| &self.values[index * self.width..(index + 1) * self.width];
        Self { width: self.width, values: indices.iter().flat_map(row).copied().collect() }
    }

    pub(crate) fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.width.max(1))
    }
}

/// Runs every image of a split through `forward`, in order and in batches, and gives each of its outputs.
pub(crate) fn outputs_of(
    dataset: &Dataset,
    split: &Split,
    batch_size: usize,
    device: &Device,
    forward: impl Fn(Tensor<4>) -> Vec<Tensor<2>>,
) -> Result<Vec<Rows>, Error> {
    outputs_by(|range| batch_plain(dataset, split, range), dataset, split, batch_size, device, forward)
}

/// As [`outputs_of`], with images as `load` gives those of a range.
pub(crate) fn outputs_by(
    load: impl Fn(Range<usize>) -> Result<Vec<f32>, DataError>,
    dataset: &Dataset,
    split: &Split,
    batch_size: usize,
    device: &Device,
    forward: impl Fn(Tensor<4>) -> Vec<Tensor<2>>,
) -> Result<Vec<Rows>, Error> {
    let Dataset { channels, height, width, .. } = *dataset;
    let mut outputs: Vec<Rows> = Vec::new();
    for first in (0..split.len()).step_by(batch_size) {
        let range = first..split.len().min(first + batch_size);
        let shape = [range.len(), channels, height, width];
        let images = Tensor::from_data(TensorData::new(load(range)?, shape), device);
        let batch = forward(images);
        outputs.resize_with(batch.len(), Rows::default);
        for (rows, output) in outputs.iter_mut().zip(batch) {
            [_, rows.width] = output.dims();
            let values: Vec<f32> = output
                .try_into_vec_as()
                .map_err(|error| Error::Device { what: "outputs of a batch", reason: format!("{error:?}") })?;
            rows.values.extend(values);
        }
    }
    Ok(outputs)
}

/// Runs every image of a split through `forward`, which has one output, in order and in batches.
pub(crate) fn rows_of(
    dataset: &Dataset,
    split: &Split,
    batch_size: usize,
    device: &Device,
    forward: impl Fn(Tensor<4>) -> Tensor<2>,
) -> Result<Rows, Error> {
    let outputs = outputs_of(dataset, split, batch_size, device, |images| vec![forward(images)])?;
    Ok(outputs.into_iter().next().unwrap_or_default())
}
