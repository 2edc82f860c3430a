//! What the machine can do at most: the same preprocessing and the same runtime in this process, without HTTP and without
//! waiting for anybody, in batches of the size that suits best.

use crate::config::threads;
use crate::preprocess::Pixels;
use crate::{Error, Model};
use rayon::prelude::*;
use serde::Serialize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// How batches follow each other.
    pub order: Order,
}

/// How batches follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Each is prepared on all processors, then it runs.
    Alternating,
    /// The next one is prepared while one runs.
    Ahead,
    /// As many beside each other as there are processors, each prepared and run by a thread of its own.
    Beside,
}

/// Every way to run batches of at most `max_batch_size`.
pub fn ways(model: &Model, max_batch_size: usize) -> Vec<Way> {
    let largest = model.largest_batch().unwrap_or(max_batch_size).min(max_batch_size);
    let sizes = BATCH_SIZES.into_iter().filter(|size| *size < largest).chain([largest]);
    let orders = [Order::Alternating, Order::Ahead, Order::Beside];
    sizes.flat_map(|batch_size| orders.map(|order| Way { batch_size, order })).collect()
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
        let more = || start.elapsed() < duration;
        let mut batches = 0;
        match self.order {
            Order::Alternating => {
                while batches == 0 || more() {
                    run(model, &self.prepare(model, photographs, batches)?)?;
                    batches += 1;
                }
            }
            Order::Ahead => thread::scope(|scope| {
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
            })?,
            Order::Beside => {
                let next = AtomicUsize::new(0);
                let alone = |_| {
                    while more() {
                        let indices = self.indices(next.fetch_add(1, Ordering::Relaxed));
                        let item = |index: usize| model.preprocessor.item(&photographs[index % photographs.len()]);
                        run(model, &indices.map(item).collect::<Result<Vec<_>, _>>()?)?;
                    }
                    Ok::<_, Error>(())
                };
                thread::scope(|scope| {
                    let threads: Vec<_> = (0..threads(0)).map(|thread| scope.spawn(move || alone(thread))).collect();
                    threads.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
                })?;
                batches = next.into_inner();
            }
        }
        Ok((batches * self.batch_size) as f64 / start.elapsed().as_secs_f64())
    }

    /// The items of a batch, on all processors.
    fn prepare(self, model: &Model, photographs: &[Vec<u8>], batch: usize) -> Result<Vec<Pixels>, Error> {
        let item = |index: usize| model.preprocessor.item(&photographs[index % photographs.len()]);
        self.indices(batch).into_par_iter().map(item).collect()
    }

    fn indices(self, batch: usize) -> Range<usize> {
        batch * self.batch_size..(batch + 1) * self.batch_size
    }
}

fn run(model: &Model, items: &[Pixels]) -> Result<(), Error> {
    let rows = model.run_items(items);
    rows.map(drop).map_err(|reason| Error::Backend { model: model.card().name.clone(), reason })
}
