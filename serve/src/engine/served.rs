//! One model that is served: admission, decoding on the pool, the batch, the answers in the order of the request.

use super::Timing;
use crate::Error;
use crate::batch::{Answer, Batcher, Place, Terms, Waiting};
use crate::metrics::{ModelMetrics, Stage};
use crate::model::{Model, Row};
use crate::preprocess::Pixels;
use crate::trace::Context;
use futures_util::future::{Either, select, try_join_all};
use rayon::ThreadPool;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// One model that is served.
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
    pub(super) batcher: Arc<Batcher>,
    pub(super) decoders: Arc<ThreadPool>,
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
        let until = terms.until;
        let (places, waiting) = self.admit(images.len(), terms)?;
        let jobs = images.into_iter().zip(places).enumerate().map(|(index, (image, place))| {
            let (sender, receiver) = oneshot::channel();
            let decode = self.decode(index, image, place, sender);
            self.decoders.spawn_fifo(decode);
            async move {
                let (took, answer) = receiver.await.map_err(|_| self.lost())?.map_err(|error| error.at_item(index))?;
                self.answer(answer, took).await
            }
        });
        Ok(join(self.by(until, &waiting, try_join_all(jobs)).await?))
    }

    /// Runs items that are prepared already.
    ///
    /// # Errors
    /// Too many items, no room in the queue, an item that still waits when its terms end, or the runtime's failure.
    pub async fn items(&self, items: Vec<Pixels>, terms: Terms) -> Result<Answers, Error> {
        let until = terms.until;
        let (places, waiting) = self.admit(items.len(), terms)?;
        let jobs = items.into_iter().zip(places).map(|(pixels, place)| {
            let (sender, receiver) = oneshot::channel();
            self.batcher.push(pixels, place, sender);
            self.answer(receiver, Duration::ZERO)
        });
        Ok(join(self.by(until, &waiting, try_join_all(jobs)).await?))
    }

    pub(super) fn finish(&self) {
        self.batcher.finish();
    }

    /// The largest batch that the runtime gets.
    pub fn max_batch_size(&self) -> usize {
        self.batcher.limits().max_batch_size
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

    /// The job of a decoder: prepares one image and puts it into its place.
    fn decode<B: AsRef<[u8]>>(
        &self,
        index: usize,
        image: B,
        place: Place,
        decoded: oneshot::Sender<Decoded>,
    ) -> impl FnOnce() + use<B> {
        let (model, batcher, metrics) = (self.model.clone(), self.batcher.clone(), self.metrics.clone());
        move || {
            if decoded.is_closed() {
                metrics.canceled();
                return;
            }
            let start = Instant::now();
            // A panic in a decoder must cost one image, not the process.
            let prepared = catch_unwind(AssertUnwindSafe(|| model.preprocessor.item(image.as_ref())))
                .unwrap_or_else(|_| Err(Error::image("made its decoder fail")));
            let end = Instant::now();
            let took = end - start;
            metrics.stage(Stage::Decode, took);
            if let Some(trace) = place.trace() {
                trace_decode(trace, metrics.labels(), index, [start, end], prepared.as_ref().err());
            }
            // The receiver goes to the caller before the item goes to the queue: a caller that has left drops it, and
            // the runner sees that.
            let (sender, receiver) = oneshot::channel();
            match prepared {
                Ok(pixels) => match decoded.send(Ok((took, receiver))) {
                    Ok(()) => batcher.push(pixels, place, sender),
                    Err(_) => metrics.canceled(),
                },
                Err(error) => {
                    drop(place);
                    // A caller that has left does not want to know.
                    let _ = decoded.send(Err(error));
                }
            }
        }
    }

    async fn answer(&self, receiver: Reply, decode: Duration) -> Result<(Row, Timing), Error> {
        let answer = receiver.await.map_err(|_| self.lost())??;
        Ok((answer.row, Timing { decode, queue: answer.queue, infer: answer.infer }))
    }

    fn lost(&self) -> Error {
        Error::Backend { model: self.name.clone(), reason: "an item was lost on its way".into() }
    }
}

type Reply = oneshot::Receiver<Result<Answer, Error>>;
type Decoded = Result<(Duration, Reply), Error>;

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

fn join(answers: Vec<(Row, Timing)>) -> Answers {
    let timing = answers.iter().fold(Timing::default(), |timing, (_, item)| timing.max(*item));
    Answers { rows: answers.into_iter().map(|(row, _)| row).collect(), timing }
}
