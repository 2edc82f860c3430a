//! Where a span stands.

use super::clock::Clock;
use super::proto::span::SpanKind;
use super::queue::Queue;
use super::{Parent, Span, SpanId, TraceId};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// What the children of a span, and those that link to it, need to know. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    queue: Arc<Queue>,
    clock: Clock,
    trace_id: TraceId,
    span_id: SpanId,
    state: Arc<str>,
}

impl Context {
    /// A span that nobody here is the parent of.
    pub(super) fn new(queue: Arc<Queue>, clock: Clock, trace_id: TraceId, state: Arc<str>) -> Self {
        Self(Arc::new(Inner { queue, clock, trace_id, span_id: SpanId::random(), state }))
    }

    /// Begins the span of a request.
    pub(super) fn server(self, parent: Option<&Parent>, start: Instant) -> Span {
        Span::begin(self, SpanKind::Server, parent.map(|parent| (parent.span_id, true)), start)
    }

    /// Begins a child, which may have begun before.
    pub fn child(&self, name: &'static str, start: Instant) -> Span {
        let Inner { queue, clock, trace_id, span_id, state } = &*self.0;
        let child = Self::new(queue.clone(), *clock, *trace_id, state.clone());
        Span::begin(child, SpanKind::Internal, Some((*span_id, false)), start).named(name)
    }

    /// Begins a trace of its own.
    pub fn apart(&self, name: &'static str, start: Instant) -> Span {
        let Inner { queue, clock, .. } = &*self.0;
        let apart = Self::new(queue.clone(), *clock, TraceId::random(), Arc::default());
        Span::begin(apart, SpanKind::Internal, None, start).named(name)
    }

    /// The trace.
    pub fn trace_id(&self) -> TraceId {
        self.0.trace_id
    }

    /// The span.
    pub fn span_id(&self) -> SpanId {
        self.0.span_id
    }

    pub(super) fn state(&self) -> &str {
        &self.0.state
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.0.queue
    }
}

#[cfg(test)]
impl Context {
    /// So many requests that are traced, and what comes out of the queue of their spans.
    pub(crate) fn for_tests<const N: usize>() -> ([Self; N], tokio::sync::mpsc::Receiver<super::proto::Span>) {
        let metrics = crate::metrics::Metrics::new().unwrap();
        let losses = Arc::new(super::losses::Losses::new(metrics.spans));
        let (queue, receiver) = Queue::new(100, losses);
        let queue = Arc::new(queue);
        let context = |_| Self::new(queue.clone(), Clock::now(), TraceId::random(), "shop=7".into());
        (std::array::from_fn(context), receiver)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Context").field(&self.0.trace_id).field(&self.0.span_id).finish()
    }
}
