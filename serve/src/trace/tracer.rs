//! Which requests are traced, and where their spans go.

use super::clock::Clock;
use super::collector::Collector;
use super::exporter::Exporter;
use super::losses::Losses;
use super::queue::Queue;
use super::ratio::Ratio;
use super::resource::resource;
use super::{Context, Parent, Sampling, Span, TraceId};
use crate::metrics::Metrics;
use crate::{Config, Error};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::runtime::Builder;
use tokio::sync::watch;

/// Most spans that wait for the collector: some seconds of a busy server.
const MOST_WAITING: usize = 8192;

/// Samples requests and sends their spans.
pub struct Tracer {
    start: Sampling,
    now: RwLock<(Sampling, Ratio)>,
    queue: Arc<Queue>,
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A request that has begun.
pub struct Begun {
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its span, when it is sampled.
    pub span: Option<Span>,
}

impl Tracer {
    /// Starts to send, if the options name a collector. Whether it answers is seen only with the first spans.
    ///
    /// # Errors
    /// The collector's address or a variable of OpenTelemetry's cannot be read, or the system gives no thread.
    pub fn open(config: &Config, metrics: &Metrics) -> Result<Option<Self>, Error> {
        let Some(url) = &config.otlp_endpoint else { return Ok(None) };
        let collector = Collector::at(url)?;
        let resource = resource(|name| std::env::var(name).ok())?;
        let losses = Arc::new(Losses::new(metrics.spans.clone()));
        let (queue, waiting) = Queue::new(MOST_WAITING, losses.clone());
        let exporter = Exporter { collector, resource, metrics: metrics.spans.clone(), losses };
        let failed = |error| Error::Server { reason: format!("no thread to send spans: {error}") };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let stop = watch::Sender::new(false);
        let stopped = stop.subscribe();
        let thread = std::thread::Builder::new()
            .name("spans".into())
            .spawn(move || exporter.run(&runtime, waiting, stopped))
            .map_err(failed)?;
        let (queue, thread) = (Arc::new(queue), Mutex::new(Some(thread)));
        // The share itself, until another is asked for.
        let start = Sampling::of(config.trace_ratio);
        let now = RwLock::new((start, Ratio::new(config.trace_ratio)));
        tracing::info!("traces go to {url}, a share of {} of those that begin here", config.trace_ratio);
        Ok(Some(Self { start, now, queue, stop, thread }))
    }

    /// Which requests are traced now.
    pub fn sampling(&self) -> Sampling {
        self.now.read().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Which were at the start.
    pub fn sampling_at_start(&self) -> Sampling {
        self.start
    }

    /// Traces these from now on.
    pub fn sample(&self, wanted: Sampling) {
        let ratio = Ratio::new(wanted.share());
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = (wanted, ratio);
    }

    /// Begins a request. Whether it is sampled the parent decides, where there is one.
    pub fn begin(&self, parent: Option<&Parent>, start: Instant) -> Begun {
        let trace_id = parent.map_or_else(TraceId::random, |parent| parent.trace_id);
        let (sampling, ratio) = *self.now.read().unwrap_or_else(PoisonError::into_inner);
        let is_sampled = parent.map_or_else(|| ratio.takes(trace_id), |parent| parent.is_sampled) && sampling.is_on;
        let state = parent.map(|parent| parent.state.clone()).unwrap_or_default();
        let span = || Context::new(self.queue.clone(), Clock::now(), trace_id, state).server(parent, start);
        Begun { trace_id, span: is_sampled.then(span) }
    }

    /// Hands over what is left, for a limited time.
    pub fn finish(&self) {
        self.queue.close();
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that sends spans panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::SpanId;
    use std::time::Duration;

    fn tracer(trace_ratio: f64) -> Tracer {
        let config = Config { otlp_endpoint: Some("http://127.0.0.1:1".into()), trace_ratio, ..Config::default() };
        Tracer::open(&config, &Metrics::new().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn without_an_address_nothing_is_traced() {
        assert!(Tracer::open(&Config::default(), &Metrics::new().unwrap()).unwrap().is_none());
    }

    #[test]
    fn the_parent_decides_and_the_share_where_there_is_none() {
        let parent = |is_sampled| Parent {
            trace_id: TraceId::random(),
            span_id: SpanId::random(),
            is_sampled,
            state: "shop=7".into(),
        };
        for (share, parent, expected) in [
            (0.0, None, false),
            (0.0, Some(parent(false)), false),
            (0.0, Some(parent(true)), true),
            (1.0, None, true),
            (1.0, Some(parent(false)), false),
            (1.0, Some(parent(true)), true),
        ] {
            let tracer = tracer(share);
            let begun = tracer.begin(parent.as_ref(), Instant::now());
            assert_eq!(begun.span.is_some(), expected, "{share} {parent:?}");
            assert!(parent.is_none_or(|parent| parent.trace_id == begun.trace_id));
        }
    }

    #[test]
    fn what_is_sampled_changes_while_it_runs() {
        let tracer = tracer(0.0);
        let asked =
            Parent { trace_id: TraceId::random(), span_id: SpanId::random(), is_sampled: true, state: "".into() };
        let begun = |parent: Option<&Parent>| tracer.begin(parent, Instant::now()).span.is_some();
        assert_eq!((begun(None), begun(Some(&asked))), (false, true));
        tracer.sample(Sampling { is_on: true, one_in: 1 });
        assert_eq!((begun(None), begun(Some(&asked))), (true, true));
        tracer.sample(Sampling { is_on: false, one_in: 1 });
        assert_eq!((begun(None), begun(Some(&asked))), (false, false), "off is off for everybody");
        assert_eq!(tracer.sampling_at_start(), Sampling { is_on: true, one_in: 0 });
    }

    #[test]
    fn a_request_that_is_not_sampled_costs_no_more_than_an_id() {
        const MANY: u32 = 100_000;
        let tracer = tracer(0.0);
        let start = Instant::now();
        assert!((0..MANY).all(|_| tracer.begin(None, start).span.is_none()));
        let each = start.elapsed() / MANY;
        // Some hundred times what it takes, so that only a mistake is found, not a busy machine.
        assert!(each < Duration::from_micros(5), "{each:?}");
    }
}
