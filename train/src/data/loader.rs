//! Batches in order, made by threads of their own.
//!
//! Thread `w` of `n` makes every `n`-th batch and sends it through a bounded channel of its own; the reader takes the
//! channels in turn. The order needs no sorting, and the number of threads cannot change a batch.

use super::batch::{Batch, Composer};
use super::{DataError, Dataset, LoaderConfig};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Iterates over the batches of steps `first_step` to `last_step - 1`; an error is the last item. Dropping it ends its
/// threads.
pub struct Loader {
    lanes: Vec<Lane>,
    first: u64,
    next: u64,
    last: u64,
}

struct Lane {
    batches: Receiver<Result<Batch, DataError>>,
    thread: JoinHandle<()>,
}

impl Loader {
    /// Starts the threads. Batches come from the training images at `indices`, every one once an epoch.
    /// # Errors
    /// The settings do not fit the images, or a thread cannot start.
    pub fn new(dataset: Arc<Dataset>, indices: Arc<Vec<usize>>, config: LoaderConfig) -> Result<Self, DataError> {
        config.check(&dataset, &indices)?;
        let composer = Arc::new(Composer::new(dataset, indices, &config));
        let steps = config.last_step - config.first_step;
        let workers = config.workers.min(usize::try_from(steps).unwrap_or(usize::MAX));
        let mut loader =
            Self { lanes: Vec::new(), first: config.first_step, next: config.first_step, last: config.last_step };
        for worker in 0..workers {
            let (sender, batches) = sync_channel(config.prefetch.div_ceil(workers));
            let composer = composer.clone();
            let steps = (config.first_step + worker as u64..config.last_step).step_by(workers);
            let thread = Builder::new()
                .name(format!("loader-{worker}"))
                .spawn(move || work(&composer, steps, &sender))
                .map_err(|source| DataError::Thread { source })?;
            loader.lanes.push(Lane { batches, thread });
        }
        Ok(loader)
    }
}

fn work(composer: &Composer, steps: impl Iterator<Item = u64>, sender: &SyncSender<Result<Batch, DataError>>) {
    for step in steps {
        let batch = composer.batch(step);
        let failed = batch.is_err();
        // When nobody takes the batch, the loader is gone.
        if sender.send(batch).is_err() || failed {
            return;
        }
    }
}

impl Iterator for Loader {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.last {
            return None;
        }
        let lane = ((self.next - self.first) % self.lanes.len() as u64) as usize;
        match self.lanes[lane].batches.recv() {
            Ok(Ok(batch)) => {
                self.next += 1;
                Some(Ok(batch))
            }
            Ok(Err(error)) => {
                self.next = self.last;
                Some(Err(error))
            }
            Err(_) => {
                // Only a panic ends a thread without a word: let it go on here instead of ending the epoch early.
                self.next = self.last;
                if let Err(panic) = self.lanes.swap_remove(lane).thread.join() {
                    resume_unwind(panic);
                }
                None
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match usize::try_from(self.last - self.next) {
            Ok(left) => (left, Some(left)),
            Err(_) => (usize::MAX, None),
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // All channels close first, so that the threads end side by side.
        let threads: Vec<JoinHandle<()>> = self.lanes.drain(..).map(|lane| lane.thread).collect();
        for thread in threads {
            // A panic of a thread whose batch nobody waits for is of no more interest.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Augment;
    use crate::data::batch::tests::tiny;
    use std::sync::Weak;

    fn config() -> LoaderConfig {
        LoaderConfig {
            batch_size: 4,
            seed: 11,
            first_step: 0,
            last_step: 25,
            augment: Augment { crop_padding: 1, flip: true, ..Augment::default() },
            workers: 1,
            prefetch: 3,
        }
    }

    fn load(config: LoaderConfig) -> Vec<Batch> {
        Loader::new(tiny(10), Arc::new((0..10).collect()), config).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_resumed_loader_continues_bit_by_bit_with_any_number_of_threads() {
        let whole = load(config());
        assert_eq!(whole.iter().map(|batch| batch.step).collect::<Vec<_>>(), (0..25).collect::<Vec<_>>());
        for workers in [1, 2, 3, 7, 40] {
            for (first_step, prefetch) in [(0, 0), (1, 1), (9, 2), (24, 8), (25, 3)] {
                let tail = load(LoaderConfig { first_step, workers, prefetch, ..config() });
                assert!(tail == whole[first_step as usize..], "{workers} threads from step {first_step}");
            }
        }
    }

    #[test]
    fn every_sample_comes_once_an_epoch_across_batches() {
        let mut seen: Vec<usize> = load(config()).into_iter().flat_map(|batch| batch.indices).collect();
        assert_eq!(seen.len(), 100);
        for epoch in seen.chunks_exact_mut(10) {
            epoch.sort_unstable();
            assert_eq!(epoch, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn only_the_chosen_images_come() {
        let loader = Loader::new(tiny(10), Arc::new(vec![2, 5, 9]), LoaderConfig { workers: 2, ..config() }).unwrap();
        let mut seen: Vec<usize> = loader.flat_map(|batch| batch.unwrap().indices).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [2, 5, 9]);
    }

    #[test]
    fn wrong_settings_start_no_thread() {
        let error = Loader::new(tiny(10), Arc::new(vec![10]), config()).map(|_| ());
        assert!(matches!(&error, Err(DataError::Loader { field: "indices", .. })), "{error:?}");
    }

    #[test]
    fn dropping_the_loader_ends_its_threads() {
        for taken in [0, 1, 5] {
            let dataset = tiny(10);
            let left: Weak<Dataset> = Arc::downgrade(&dataset);
            let config = LoaderConfig { workers: 3, last_step: u64::MAX / 8, ..config() };
            let mut loader = Loader::new(dataset, Arc::new((0..10).collect()), config).unwrap();
            assert_eq!(loader.by_ref().take(taken).count(), taken);
            drop(loader);
            assert_eq!(left.strong_count(), 0, "a thread still holds the data after {taken} batches");
        }
    }

    #[test]
    fn the_panic_of_a_thread_reaches_the_reader() {
        let mut broken = Arc::unwrap_or_clone(tiny(10));
        broken.width = 0;
        let config = LoaderConfig { augment: Augment::default(), ..config() };
        let caught = std::panic::catch_unwind(|| {
            let composer = Composer::new(Arc::new(broken), Arc::new((0..10).collect()), &config);
            let (sender, batches) = sync_channel(1);
            let thread = std::thread::spawn(move || work(&composer, 0..3, &sender));
            Loader { lanes: vec![Lane { batches, thread }], first: 0, next: 0, last: 3 }.count()
        });
        assert!(caught.is_err());
    }
}
