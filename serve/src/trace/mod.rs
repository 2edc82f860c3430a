//! Traces: where a request spent its time, beside what other services did for it, for a collector of OpenTelemetry's.
//!
//! A request is a span, with a child for each image that was decoded, for each item that waited, and for each batch that it was in. A
//! batch works for many requests and is a trace of its own: its span has links to theirs, and their child `infer` has one to it.
//!
//! A request that is not sampled has the id of its trace and nothing else. Spans go to the collector in the background; when it does
//! not take them they are dropped and counted, and requests do not notice.
//!
//! # Source
//! W3C Trace Context, OpenTelemetry's protocol (OTLP) over gRPC and over HTTP.

mod clock;
mod collector;
mod context;
mod exporter;
mod id;
mod losses;
mod parent;
pub mod proto;
mod queue;
mod ratio;
mod resource;
mod sampling;
mod span;
mod tracer;

pub(crate) use collector::Collector;
pub use context::Context;
pub use id::{SpanId, TraceId};
pub use parent::{Parent, TRACEPARENT, TRACESTATE};
pub use sampling::Sampling;
pub use span::Span;
pub use tracer::{Begun, Tracer};
