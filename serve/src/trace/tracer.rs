//! Which requests are traced, and where their spans go.

use super::clock::Clock;
use super::exporter::{Exporter, endpoint};
use super::losses::Losses;
use super::queue::Queue;
use super::ratio::Ratio;
use super::resource::resource;
use super::{Context, Parent, Span, TraceId};
use crate::metrics::Metrics;
use crate::{Config, Error};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::runtime::Builder;
use tokio::sync::watch;

/// Most spans that wait for the collector: some seconds of a busy server.
const MOST_WAITING: usize = 8192;

/// Samples requests and sends their spans.
pub struct Tracer {
    ratio: Ratio,
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
        let endpoint = endpoint(url)?;
        let resource = resource(|name| std::env::var(name).ok())?;
        let losses = Arc::new(Losses::new(metrics.spans.clone()));
        let (queue, waiting) = Queue::new(MOST_WAITING, losses.clone());
        let exporter = Exporter { endpoint, resource, metrics: metrics.spans.clone(), losses };
        let failed = |error| Error::Server { reason: format!("no thread to send spans: {error}") };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let stop = watch::Sender::new(false);
        let stopped = stop.subscribe();
        let thread = std::thread::Builder::new()
            .name("spans".into())
            .spawn(move || exporter.run(&runtime, waiting, stopped))
            .map_err(failed)?;
        let (ratio, queue, thread) = (Ratio::new(config.trace_ratio), Arc::new(queue), Mutex::new(Some(thread)));
        tracing::info!("traces go to {url}, a share of {} of those that begin here", config.trace_ratio);
        Ok(Some(Self { ratio, queue, stop, thread }))
    }

    /// Begins a request. Whether it is sampled the parent decides, where there is one.
    pub fn begin(&self, parent: Option<&Parent>, start: Instant) -> Begun {
        let trace_id = parent.map_or_else(TraceId::random, |parent| parent.trace_id);
        let is_sampled = parent.map_or_else(|| self.ratio.takes(trace_id), |parent| parent.is_sampled);
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
