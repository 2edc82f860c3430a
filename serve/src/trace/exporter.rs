//! The thread that sends spans to the collector.
//!
//! # Source
//! OpenTelemetry's protocol, OTLP.

use super::collector::{Client, Collector};
use super::losses::Losses;
use super::proto::{ExportTraceServiceRequest, InstrumentationScope, Resource, ResourceSpans, ScopeSpans, Span};
use crate::metrics::Spans;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Most spans of one message to the collector.
const MOST_SPANS: usize = 512;
/// How long spans are gathered for one message.
const GATHER: Duration = Duration::from_secs(1);
/// Longest time for the collector to take a message.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// At the end, longest time to hand over what is left.
const FLUSH: Duration = Duration::from_secs(3);

/// Sends spans.
pub struct Exporter {
    /// Where to.
    pub collector: Collector,
    /// Who sends them.
    pub resource: Resource,
    /// Counts what was taken.
    pub metrics: Spans,
    /// Counts what was not.
    pub losses: Arc<Losses>,
}

impl Exporter {
    /// Sends what comes until nothing more can come, and then no longer than it takes to hand over what is left.
    pub fn run(&self, runtime: &Runtime, mut queue: Receiver<Span>, mut stop: watch::Receiver<bool>) {
        runtime.block_on(async {
            let sending = pin!(self.send_all(&mut queue));
            let late = pin!(async {
                // An error says that the server is gone, which is a reason to end.
                let _ = stop.wait_for(|stop| *stop).await;
                sleep(FLUSH).await;
            });
            if let Either::Right(_) = select(sending, late).await {
                tracing::warn!("{} did not take the last spans within {FLUSH:?}", self.collector());
            }
        });
    }

    async fn send_all(&self, queue: &mut Receiver<Span>) {
        let mut client = self.collector.client();
        let mut spans = Vec::new();
        while queue.recv_many(&mut spans, MOST_SPANS).await > 0 {
            let until = Instant::now() + GATHER;
            while spans.len() < MOST_SPANS {
                let room = MOST_SPANS - spans.len();
                match timeout_at(until, queue.recv_many(&mut spans, room)).await {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => break,
                }
            }
            self.send(&mut client, std::mem::take(&mut spans)).await;
        }
    }

    async fn send(&self, client: &mut Client, spans: Vec<Span>) {
        let count = spans.len();
        let scope = InstrumentationScope { name: "selfie-serve".into(), version: env!("CARGO_PKG_VERSION").into() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans }];
        let resource_spans = vec![ResourceSpans { resource: Some(self.resource.clone()), scope_spans }];
        match timeout(TIMEOUT, client.export(ExportTraceServiceRequest { resource_spans })).await {
            Ok(Ok(response)) => {
                let partly = response.partial_success.unwrap_or_default();
                let rejected = usize::try_from(partly.rejected_spans).unwrap_or_default().min(count);
                self.metrics.sent(count - rejected);
                if rejected > 0 {
                    self.losses
                        .add(rejected, format_args!("{} rejected them: {}", self.collector(), partly.error_message));
                }
            }
            Ok(Err(reason)) => self.losses.add(count, format_args!("{}: {reason}", self.collector())),
            Err(_) => self.losses.add(count, format_args!("{} did not answer within {TIMEOUT:?}", self.collector())),
        }
    }

    fn collector(&self) -> String {
        format!("the collector at {}", self.collector.url())
    }
}
