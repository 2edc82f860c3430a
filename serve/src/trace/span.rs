//! A span, from its beginning to the queue.

use super::proto::any_value::Value;
use super::proto::span::{Link, SpanKind};
use super::proto::status::StatusCode;
use super::proto::{self, AnyValue, KeyValue, Status};
use super::{Context, SpanId};
use actix_web::web::Bytes;
use std::time::Instant;

/// Bits of a span's flags: it is sampled, it is known whether its parent is in another process, and that it is.
const SAMPLED: u32 = 1;
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// A span that is not over. One that is dropped was canceled: nobody waits for it any more.
#[derive(Debug)]
pub struct Span {
    context: Context,
    message: proto::Span,
    is_over: bool,
}

impl Span {
    /// Begins one. `parent` is its parent and whether that is in another process.
    pub(super) fn begin(context: Context, kind: SpanKind, parent: Option<(SpanId, bool)>, start: Instant) -> Self {
        let is_remote = parent.is_some_and(|(_, is_remote)| is_remote);
        let message = proto::Span {
            trace_id: bytes(&context.trace_id().0),
            span_id: bytes(&context.span_id().0),
            trace_state: context.state().to_owned(),
            parent_span_id: parent.map(|(SpanId(id), _)| bytes(&id)).unwrap_or_default(),
            flags: SAMPLED | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 },
            kind: kind.into(),
            start_time_unix_nano: context.clock().unix_ns(start),
            ..proto::Span::default()
        };
        Self { context, message, is_over: false }
    }

    /// The same span with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.rename(name);
        self
    }

    /// Gives the span another name.
    pub fn rename(&mut self, name: impl Into<String>) {
        self.message.name = name.into();
    }

    /// What its children need to know.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Adds an attribute.
    pub fn set(&mut self, key: &str, value: impl Into<AnyValue>) {
        self.message.attributes.push(attribute(key, value));
    }

    /// Adds a link to another span.
    pub fn link(&mut self, to: &Context) {
        self.message.links.push(Link {
            trace_id: bytes(&to.trace_id().0),
            span_id: bytes(&to.span_id().0),
            trace_state: to.state().to_owned(),
            flags: SAMPLED | HAS_IS_REMOTE,
            ..Link::default()
        });
    }

    /// Says that it failed: `kind` is one of few words, for `error.type`.
    pub fn fail(&mut self, kind: &str, message: impl Into<String>) {
        self.set("error.type", kind);
        self.message.status = Some(Status { code: StatusCode::Error.into(), message: message.into() });
    }

    /// Ends it.
    pub fn end(mut self, end: Instant) {
        self.send(end);
    }

    fn send(&mut self, end: Instant) {
        self.is_over = true;
        self.message.end_time_unix_nano = self.context.clock().unix_ns(end);
        self.context.queue().push(std::mem::take(&mut self.message));
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if !self.is_over {
            self.fail("canceled", "nobody waited for the answer");
            self.send(Instant::now());
        }
    }
}

/// An attribute.
pub(super) fn attribute(key: &str, value: impl Into<AnyValue>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value.into()) }
}

impl From<&str> for AnyValue {
    fn from(text: &str) -> Self {
        Self { value: Some(Value::StringValue(text.to_owned())) }
    }
}

impl From<usize> for AnyValue {
    fn from(number: usize) -> Self {
        Self { value: Some(Value::IntValue(i64::try_from(number).unwrap_or(i64::MAX))) }
    }
}

fn bytes(id: &[u8]) -> Bytes {
    Bytes::copy_from_slice(id)
}
