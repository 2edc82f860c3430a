//! Embeddings of a network that is not trained any further, and what can be read from them.

use super::neighbours::{self, NEIGHBOURS};
use super::outputs::{Rows, rows_of};
use super::probe::Probe;
use super::retrieval::{Recall, recalls};
use crate::Error;
use crate::data::{Dataset, Split};
use burn::tensor::{Device, Tensor};
use selfie_models::network::Network;

/// Embeddings of the training images and of a split to measure on.
pub(crate) struct Frozen<'a> {
    dataset: &'a Dataset,
    split: &'a Split,
    bank: Rows,
    queries: Rows,
}

impl<'a> Frozen<'a> {
    /// Embeds the images.
    pub(crate) fn of(
        network: &Network,
        dataset: &'a Dataset,
        split: &'a Split,
        batch_size: usize,
        device: &Device,
    ) -> Result<Self, Error> {
        let embed = |images: Tensor<4>| network.embed(images);
        let bank = rows_of(dataset, &dataset.train, batch_size, device, embed)?;
        let queries = rows_of(dataset, split, batch_size, device, embed)?;
        Ok(Self { dataset, split, bank, queries })
    }

    /// Accuracy of the usual number of weighted nearest neighbours among the training images at `indices`.
    pub(crate) fn neighbours(&self, indices: &[usize]) -> Result<f64, Error> {
        self.vote(indices, NEIGHBOURS)
    }

    /// Accuracy of `k` weighted nearest neighbours among the training images at `indices`.
    pub(crate) fn vote(&self, indices: &[usize], k: usize) -> Result<f64, Error> {
        let (bank, labels) = self.labelled(indices);
        Ok(self.accuracy(&neighbours::classify(&bank, &labels, &self.queries, self.dataset.labels.len(), k)?))
    }

    /// How often the nearest other embeddings of the split hold one of the same class.
    pub(crate) fn recalls(&self) -> Result<Vec<Recall>, Error> {
        recalls(&self.queries, &self.split.labels)
    }

    /// Accuracy of a linear layer that is trained on the embeddings of the training images at `indices`, and the largest entry of
    /// its gradient at the end.
    pub(crate) fn probe(&self, indices: &[usize]) -> Result<(f64, f64), Error> {
        let (bank, labels) = self.labelled(indices);
        let probe = Probe::fit(&bank, &labels, self.dataset.labels.len())?;
        Ok((self.accuracy(&probe.classify(&self.queries)?), probe.gradient.into()))
    }

    fn labelled(&self, indices: &[usize]) -> (Rows, Vec<u32>) {
        let labels = indices.iter().map(|index| self.dataset.train.labels[*index]).collect();
        (self.bank.select(indices), labels)
    }

    fn accuracy(&self, found: &[usize]) -> f64 {
        let right = found.iter().zip(&self.split.labels).filter(|(found, label)| **found == **label as usize).count();
        right as f64 / self.split.len().max(1) as f64
    }
}
