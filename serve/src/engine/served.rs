//! One model that is served: admission, decoding on the pool, the batch, the answers in the order of the request.

use super::cache::{Cache, Key};
use super::decoders::Decoders;
use super::{Mirror, Mirrored, Shadow, Timing};
use crate::Error;
use crate::batch::{Answer, Batcher, Place, Terms, Waiting};
use crate::metrics::{ModelMetrics, Stage};
use crate::model::{Model, Row};
use crate::preprocess::{Pixels, Prepared};
use crate::store::Files;
use crate::trace::Context;
use futures_util::future::{Either, select, try_join_all};
use std::iter::repeat_with;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::oneshot;

/// One model that is served.
#[derive(Clone)]
pub struct Served {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// The loaded model.
    pub model: Arc<Model>,
    /// Its metrics.
    pub metrics: ModelMetrics,
    /// Most items of one request.
    pub max_request_items: usize,
    /// Its files, as they were when it was loaded.
    pub(super) files: Files,
    /// The version that runs the same items, for comparison.
    pub(super) shadow: Option<Arc<Shadow>>,
    pub(super) batcher: Arc<Batcher>,
    pub(super) decoders: Arc<Decoders>,
    /// What it has answered of late, if that is kept.
    pub(super) cache: Option<Cache>,
}

/// The answers of a request, in the order of its items.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// One row for each item.
    pub rows: Vec<Row>,
    /// How long it took.
    pub timing: Timing,
}

impl Served {
    /// Runs encoded images. When the future is dropped, items that have not run yet are skipped.
    ///
    /// # Errors
    /// Too many items, no room in the queue, an item that still waits when its terms end, an image that cannot be used, or the
    /// runtime's failure.
    pub async fn images<B: AsRef<[u8]> + Send + 'static>(
        &self,
        images: Vec<B>,
        terms: Terms,
    ) -> Result<Answers, Error> {
        let Terms { until, priority, .. } = terms;
        let (places, waiting) = self.admit(images.len(), terms)?;
        let mirrors = self.mirrors(images.len());
        self.batcher.announce(images.len());
        let jobs = images.into_iter().zip(places).zip(mirrors).enumerate().map(|(index, ((image, place), mirror))| {
            let (sender, reply) = oneshot::channel();
            let (decoded, image_decoded) = oneshot::channel();
            self.decoders
                .spawn(priority, self.decode(index, image, place, mirror, Replies { answer: sender, decoded }));
            async move { self.answer(reply, image_decoded).await.map_err(|error| error.at_item(index)) }
        });
        Ok(self.join(self.by(until, &waiting, try_join_all(jobs)).await?))
    }

    /// Runs items that are prepared already.
    ///
    /// # Errors
    /// Too many items, no room in the queue, an item that still waits when its terms end, or the runtime's failure.
    pub async fn items(&self, items: Vec<Pixels>, terms: Terms) -> Result<Answers, Error> {
        let until = terms.until;
        let (places, waiting) = self.admit(items.len(), terms)?;
        let mirrors = self.mirrors(items.len());
        let jobs = items.into_iter().zip(places).zip(mirrors).map(|((pixels, place), mirror)| {
            let (sender, reply) = oneshot::channel();
            let (decoded, prepared) = oneshot::channel();
            let mirrored = mirror.map(|mirror| mirror.of(&pixels));
            // The receiver is here.
            let _ = decoded.send(Decoded { mirrored, ..Decoded::default() });
            self.batcher.push(pixels, place, sender);
            self.answer(reply, prepared)
        });
        Ok(self.join(self.by(until, &waiting, try_join_all(jobs)).await?))
    }

    pub(super) fn finish(&self) {
        self.batcher.finish();
    }

    /// When the file was written that was loaded, where the system says it.
    pub fn written(&self) -> Option<SystemTime> {
        self.files.written()
    }

    /// Whether the runtime fails whatever it is given. It is loaded again.
    pub fn is_broken(&self) -> bool {
        self.batcher.is_broken()
    }

    /// The largest batch that the runtime gets.
    pub fn max_batch_size(&self) -> usize {
        self.batcher.limits().max_batch_size
    }

    /// Most items that wait.
    pub fn max_queue_items(&self) -> usize {
        self.batcher.limits().max_queue_items
    }

    /// The runtime and the kind of file, as Triton names platforms.
    pub fn platform(&self) -> String {
        format!("{}_onnx", self.model.choice.runtime)
    }

    fn admit(&self, count: usize, terms: Terms) -> Result<(Vec<Place>, Waiting), Error> {
        if count > self.max_request_items {
            return Err(Error::TooManyItems { found: count, limit: self.max_request_items });
        }
        self.batcher.admit(count, terms)
    }

    /// For each of `count` items its place at the shadow, where there is one.
    fn mirrors(&self, count: usize) -> impl Iterator<Item = Option<Mirror>> + use<> {
        let mirrors = self.shadow.iter().flat_map(|shadow| shadow.mirrors(count)).map(Some).collect::<Vec<_>>();
        mirrors.into_iter().chain(repeat_with(|| None))
    }

    /// The answers, unless an item still waits when its terms end. What the runtime has taken by then is worth waiting for.
    async fn by<T>(
        &self,
        until: Option<Instant>,
        waiting: &Waiting,
        answers: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(until) = until else { return answers.await };
        let (answers, time_is_up) = (pin!(answers), pin!(tokio::time::sleep_until(until.into())));
        match select(answers, time_is_up).await {
            Either::Left((result, _)) => result,
            Either::Right(((), answers)) if !waiting.any() => answers.await,
            Either::Right(_) => Err(Error::Timeout { model: self.name.clone() }),
        }
    }

    /// The job of a decoder: prepares one image, puts it into its place, and runs it where that is for a decoder.
    fn decode<B: AsRef<[u8]>>(
        &self,
        index: usize,
        image: B,
        place: Place,
        mirror: Option<Mirror>,
        replies: Replies,
    ) -> impl FnOnce() + use<B> {
        let (model, batcher, metrics) = (self.model.clone(), self.batcher.clone(), self.metrics.clone());
        let cache = self.cache.clone();
        let queued = Instant::now();
        move || {
            batcher.begun();
            let Replies { answer, decoded } = replies;
            if answer.is_closed() {
                metrics.canceled();
                drop(place);
                return batcher.help();
            }
            let start = Instant::now();
            let wait = start - queued;
            metrics.stage(Stage::Wait, wait);
            let (key, known) = look_up(cache.as_ref(), image.as_ref(), &metrics);
            if let Some(row) = known {
                drop(place);
                // A caller that has left does not want to know.
                let _ = decoded.send(Decoded { wait, ..Decoded::default() });
                let _ = answer.send(Ok(Answer::known(row)));
                return batcher.help();
            }
            // A panic in a decoder must cost one image, not the process.
            let prepared = catch_unwind(AssertUnwindSafe(|| model.preprocessor.prepare(image.as_ref())))
                .unwrap_or_else(|_| Err(Error::image("made its decoder fail")));
            let end = Instant::now();
            let took = end - start;
            metrics.stage(Stage::Decode, took);
            if let Some(trace) = place.trace() {
                trace_decode(trace, metrics.labels(), index, [start, end], prepared.as_ref().err());
            }
            match prepared {
                Ok(Prepared { pixels, image_pixels }) => {
                    metrics.image(image_pixels);
                    let mirrored = mirror.map(|mirror| mirror.of(&pixels));
                    // A caller that has left does not want to know, and the runner sees that it has.
                    let _ = decoded.send(Decoded { wait, took, mirrored, key });
                    batcher.put(pixels, place, answer, took);
                }
                Err(error) => {
                    drop(place);
                    let _ = answer.send(Err(error));
                }
            }
            batcher.help();
        }
    }

    /// The answer to an item. What became of it before is there by then, and is not waited for: that would wake this task once more.
    async fn answer(
        &self,
        reply: oneshot::Receiver<Result<Answer, Error>>,
        mut decoded: oneshot::Receiver<Decoded>,
    ) -> Result<Answered, Error> {
        let answer = reply.await.map_err(|_| self.lost())??;
        let Decoded { wait, took, mirrored, key } = decoded.try_recv().map_err(|_| self.lost())?;
        if let Some((cache, key)) = self.cache.as_ref().zip(key) {
            cache.put(key, &answer.row);
        }
        let timing = Timing::default()
            .with(Stage::Wait, wait)
            .with(Stage::Decode, took)
            .with(Stage::Queue, answer.queue)
            .with(Stage::Infer, answer.infer);
        Ok(Answered { row: answer.row, timing, mirrored })
    }

    /// The answers together. Now that they are all there, the request is counted, and the shadow may run its items.
    fn join(&self, answers: Vec<Answered>) -> Answers {
        let timings = answers.iter().map(|item| item.timing);
        timings.clone().fold(Timing::default(), Timing::longer).count_request(&self.metrics);
        let timing = timings.fold(Timing::default(), Timing::max);
        let row = |item: Answered| {
            if let Some(mirrored) = item.mirrored {
                mirrored.run(item.row.clone());
            }
            item.row
        };
        Answers { rows: answers.into_iter().map(row).collect(), timing }
    }

    fn lost(&self) -> Error {
        Error::Backend { model: self.name.clone(), reason: "an item was lost on its way".into() }
    }
}

/// Where answers are kept, the key of an image, and what it was answered before.
fn look_up(cache: Option<&Cache>, image: &[u8], metrics: &ModelMetrics) -> (Option<Key>, Option<Row>) {
    let Some(cache) = cache else { return (None, None) };
    let start = Instant::now();
    let key = cache.key(image);
    let known = cache.get(&key);
    metrics.looked(known.is_some(), start.elapsed());
    (Some(key), known)
}

/// The span of an image that was prepared, or could not be.
fn trace_decode(trace: &Context, labels: [&str; 2], item: usize, [start, end]: [Instant; 2], failed: Option<&Error>) {
    let mut span = trace.child(Stage::Decode.name(), start);
    span.set("selfie.model", labels[0]);
    span.set("selfie.model_version", labels[1]);
    span.set("selfie.item", item);
    if let Some(error) = failed {
        span.fail(error.outcome(), error.to_string());
    }
    span.end(end);
}

/// What became of an item before the runtime.
#[derive(Default)]
struct Decoded {
    wait: Duration,
    took: Duration,
    mirrored: Option<Mirrored>,
    /// Of an image whose answer is to be kept.
    key: Option<Key>,
}

/// Where a decoder tells what became of an image.
struct Replies {
    answer: oneshot::Sender<Result<Answer, Error>>,
    decoded: oneshot::Sender<Decoded>,
}

/// The answer to an item.
struct Answered {
    row: Row,
    timing: Timing,
    mirrored: Option<Mirrored>,
}
