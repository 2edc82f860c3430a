//! What the machine can do at most: the same preprocessing and the same runtime in this process, without HTTP and without
//! waiting for anybody, in batches of the size that suits best.

use crate::preprocess::Pixels;
use crate::{Error, Model};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

/// Sizes that are tried, up to the largest that the servers may use.
const BATCH_SIZES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// A way to run batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// Images of a batch.
    pub batch_size: usize,
    /// Whether the next batch is prepared while one runs.
    pub ahead: bool,
}

/// Every way to run batches of at most `max_batch_size`.
pub fn ways(model: &Model, max_batch_size: usize) -> Vec<Way> {
    let largest = model.largest_batch().unwrap_or(max_batch_size).min(max_batch_size);
    let sizes = BATCH_SIZES.into_iter().filter(|size| *size < largest).chain([largest]);
    sizes.flat_map(|batch_size| [false, true].map(|ahead| Way { batch_size, ahead })).collect()
}

impl Way {
    /// Images a second, over `duration` and at least one batch, after one that does not count: a runtime may prepare itself for
    /// a size.
    ///
    /// # Errors
    /// [`Error::Image`] or [`Error::Backend`]: the model cannot use the photographs.
    pub fn run(self, model: &Model, photographs: &[Vec<u8>], duration: Duration) -> Result<f64, Error> {
        run(model, &self.prepare(model, photographs, 0)?)?;
        let start = Instant::now();
        let mut batches = 0;
        let more = || start.elapsed() < duration;
        if self.ahead {
            thread::scope(|scope| {
                let (sender, prepared) = sync_channel(1);
                scope.spawn(move || {
                    let mut batch = 0;
                    while sender.send(self.prepare(model, photographs, batch)).is_ok() && more() {
                        batch += 1;
                    }
                });
                prepared.into_iter().try_for_each(|items| {
                    batches += 1;
                    run(model, &items?)
                })
            })?;
        } else {
            while batches == 0 || more() {
                run(model, &self.prepare(model, photographs, batches)?)?;
                batches += 1;
            }
        }
        Ok((batches * self.batch_size) as f64 / start.elapsed().as_secs_f64())
    }

    /// The items of a batch, on all processors.
    fn prepare(self, model: &Model, photographs: &[Vec<u8>], batch: usize) -> Result<Vec<Pixels>, Error> {
        let indices = batch * self.batch_size..(batch + 1) * self.batch_size;
        let item = |index: usize| model.preprocessor.item(&photographs[index % photographs.len()]);
        indices.into_par_iter().map(item).collect()
    }
}

fn run(model: &Model, items: &[Pixels]) -> Result<(), Error> {
    let rows = model.run_items(items);
    rows.map(drop).map_err(|reason| Error::Backend { model: model.card().name.clone(), reason })
}
