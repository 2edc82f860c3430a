//! A few steps of a run that leave nothing behind.

use crate::Error;
use crate::data::Loader;
use crate::engine::{Descent, Stepped, Task};
use crate::layers::freeze;
use crate::parameters::number_by_place;
use crate::session::Prepared;
use std::sync::Arc;

/// A run without a folder.
pub(crate) struct Trial<'a, T: Task> {
    descent: Descent<'a, T>,
    loader: Loader,
    /// Taken during a step.
    network: Option<T::Network>,
}

impl<'a, T: Task> Trial<'a, T> {
    /// Makes ready for the first `steps` steps of a run.
    pub(crate) fn new(prepared: &'a Prepared<'_, T>, steps: u64) -> Result<Self, Error> {
        let Prepared { session, task, network, indices, .. } = prepared;
        let recipe = &session.recipe;
        let network = number_by_place(network.clone());
        let descent = Descent::new(recipe, &session.devices, &session.dataset, task, &network);
        let network = freeze(network, &recipe.freeze);
        let loader = Loader::new(session.dataset.clone(), Arc::new(indices.clone()), recipe.loading(0..steps))?;
        Ok(Self { descent, loader, network: Some(network) })
    }

    /// One more step, if there is one left.
    pub(crate) fn step(&mut self, learning_rate: f64) -> Result<Option<Stepped>, Error> {
        let (Some(batch), Some(network)) = (self.loader.next().transpose()?, self.network.take()) else {
            return Ok(None);
        };
        let (network, stepped) = self.descent.step(network, batch, learning_rate)?;
        self.network = Some(network);
        Ok(Some(stepped))
    }
}
