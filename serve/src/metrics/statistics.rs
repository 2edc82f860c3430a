//! Counts and times of one loaded model since it was loaded, as the statistics extension of the inference protocol wants them.

use super::Stage;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Counts and times of one loaded model.
#[derive(Default)]
pub struct Statistics {
    last_inference_ms: AtomicU64,
    success: Counter,
    fail: Counter,
    queue: Counter,
    decode: Counter,
    infer: Counter,
    requests: RequestCounters,
    hit: Counter,
    miss: Counter,
    waiting: AtomicI64,
    pending: AtomicI64,
    batches: Mutex<BTreeMap<usize, Total>>,
}

/// How often, and how long all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How often.
    pub count: u64,
    /// Nanoseconds all together.
    pub ns: u64,
}

/// [`Statistics`] at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// When a batch ended last, in milliseconds of Unix time, or 0.
    pub last_inference_ms: u64,
    /// Requests that were answered.
    pub success: Total,
    /// Requests that failed, those included whose client left.
    pub fail: Total,
    /// Waiting for a decoder and for the runtime, by items that the runtime got.
    pub queue: Total,
    /// Image bytes to input tensor, by images.
    pub decode: Total,
    /// The runtime, by batches.
    pub infer: Total,
    /// The same three by requests.
    pub requests: RequestTimes,
    /// Looking for images that the cache held.
    pub hit: Total,
    /// Looking for images that it did not hold.
    pub miss: Total,
    /// The runtime, by size of the batch.
    pub batches: BTreeMap<usize, Total>,
}

/// Nanoseconds that requests spent until their last item was answered, each counted once however many items it has: together no more
/// than the time of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestTimes {
    /// Waiting for a decoder and for the runtime.
    pub queue_ns: u64,
    /// Image bytes to input tensor.
    pub decode_ns: u64,
    /// The runtime.
    pub infer_ns: u64,
}

#[derive(Default)]
struct RequestCounters {
    queue_ns: AtomicU64,
    decode_ns: AtomicU64,
    infer_ns: AtomicU64,
}

#[derive(Default)]
struct Counter {
    count: AtomicU64,
    ns: AtomicU64,
}

impl Counter {
    fn add(&self, took: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.ns.fetch_add(nanoseconds(took), Ordering::Relaxed);
    }

    fn total(&self) -> Total {
        Total { count: self.count.load(Ordering::Relaxed), ns: self.ns.load(Ordering::Relaxed) }
    }
}

impl RequestCounters {
    fn times(&self) -> RequestTimes {
        let [queue_ns, decode_ns, infer_ns] =
            [&self.queue_ns, &self.decode_ns, &self.infer_ns].map(|counter| counter.load(Ordering::Relaxed));
        RequestTimes { queue_ns, decode_ns, infer_ns }
    }
}

impl Statistics {
    /// A request began.
    pub fn begun(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests that have begun and not ended.
    pub fn pending(&self) -> i64 {
        self.pending.load(Ordering::Relaxed)
    }

    /// A request ended after `took`.
    pub fn request(&self, is_ok: bool, took: Duration) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
        let counter = if is_ok { &self.success } else { &self.fail };
        counter.add(took);
    }

    /// An item, or for [`Stage::Infer`] a batch, spent `took` in `stage`. Stages of whole requests have no place here.
    pub fn stage(&self, stage: Stage, took: Duration) {
        let counter = match stage {
            // The same item waits for the runtime later, and is counted then.
            Stage::Wait => {
                self.queue.ns.fetch_add(nanoseconds(took), Ordering::Relaxed);
                return;
            }
            Stage::Receive | Stage::Parse | Stage::Fetch | Stage::Search | Stage::Encode => return,
            Stage::Decode => &self.decode,
            Stage::Queue => &self.queue,
            Stage::Infer => &self.infer,
        };
        counter.add(took);
    }

    /// A request's items, all of them together, spent `took` in `stage`.
    pub fn request_stage(&self, stage: Stage, took: Duration) {
        let counter = match stage {
            Stage::Wait | Stage::Queue => &self.requests.queue_ns,
            Stage::Decode => &self.requests.decode_ns,
            Stage::Infer => &self.requests.infer_ns,
            Stage::Receive | Stage::Parse | Stage::Fetch | Stage::Search | Stage::Encode => return,
        };
        counter.fetch_add(nanoseconds(took), Ordering::Relaxed);
    }

    /// An image was looked for in the cache.
    pub fn looked(&self, is_there: bool, took: Duration) {
        let counter = if is_there { &self.hit } else { &self.miss };
        counter.add(took);
    }

    /// The queue grew or shrank.
    pub fn queued(&self, change: i64) {
        self.waiting.fetch_add(change, Ordering::Relaxed);
    }

    /// Items that wait now.
    pub fn waiting(&self) -> i64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A batch of `items` ran for `took`.
    pub fn batch(&self, items: usize, took: Duration) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_inference_ms.store(now.as_millis() as u64, Ordering::Relaxed);
        let mut batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner);
        let total = batches.entry(items).or_default();
        total.count += 1;
        total.ns += nanoseconds(took);
    }

    /// The numbers now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            last_inference_ms: self.last_inference_ms.load(Ordering::Relaxed),
            success: self.success.total(),
            fail: self.fail.total(),
            queue: self.queue.total(),
            decode: self.decode.total(),
            infer: self.infer.total(),
            requests: self.requests.times(),
            hit: self.hit.total(),
            miss: self.miss.total(),
            batches: self.batches.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Snapshot {
    /// Items that the runtime has run.
    pub fn items(&self) -> u64 {
        self.batches.iter().map(|(size, total)| *size as u64 * total.count).sum()
    }
}

fn nanoseconds(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up() {
        let statistics = Statistics::default();
        let ms = Duration::from_millis;
        statistics.batch(4, ms(3));
        statistics.batch(4, ms(5));
        statistics.batch(1, ms(1));
        statistics.stage(Stage::Wait, ms(1));
        statistics.stage(Stage::Queue, ms(2));
        (0..3).for_each(|_| statistics.begun());
        statistics.request(true, ms(9));
        statistics.request(false, ms(7));
        assert_eq!(statistics.pending(), 1);
        for (stage, took) in [(Stage::Wait, 1), (Stage::Decode, 3), (Stage::Queue, 2), (Stage::Infer, 4)] {
            statistics.request_stage(stage, ms(took));
        }
        let snapshot = statistics.snapshot();
        assert_eq!(snapshot.items(), 9);
        let requests = RequestTimes { queue_ns: 3_000_000, decode_ns: 3_000_000, infer_ns: 4_000_000 };
        assert_eq!(snapshot.requests, requests);
        assert_eq!(snapshot.batches[&4], Total { count: 2, ns: 8_000_000 });
        assert_eq!(snapshot.queue, Total { count: 1, ns: 3_000_000 });
        assert_eq!((snapshot.success.ns, snapshot.fail.ns), (9_000_000, 7_000_000));
        assert!(snapshot.last_inference_ms > 0);
    }
}
