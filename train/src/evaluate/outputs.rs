//! One output of a network for every image of a split.

use crate::Error;
use crate::data::{Dataset, Split, batch_plain};
use burn::tensor::{Device, Tensor, TensorData};

/// Vectors of equal length, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) width: usize,
    pub(crate) values: Vec<f32>,
}

impl Rows {
    pub(crate) fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.width.max(1))
    }
}

/// Runs every image of a split through `forward`, in order and in batches.
pub(crate) fn rows_of(
    dataset: &Dataset,
    split: &Split,
    batch_size: usize,
    device: &Device,
    forward: impl Fn(Tensor<4>) -> Tensor<2>,
) -> Result<Rows, Error> {
    let Dataset { channels, height, width, .. } = *dataset;
    let mut rows = Rows::default();
    for first in (0..split.len()).step_by(batch_size) {
        let range = first..split.len().min(first + batch_size);
        let shape = [range.len(), channels, height, width];
        let images = Tensor::from_data(TensorData::new(batch_plain(dataset, split, range)?, shape), device);
        let output = forward(images);
        [_, rows.width] = output.dims();
        let values: Vec<f32> = output
            .try_into_vec_as()
            .map_err(|error| Error::Device { what: "outputs of a batch", reason: format!("{error:?}") })?;
        rows.values.extend(values);
    }
    Ok(rows)
}
