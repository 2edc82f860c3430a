//! The thread that sends spans to the collector.
//!
//! # Source
//! OpenTelemetry's protocol, OTLP over gRPC.

use super::losses::Losses;
use super::proto::trace_service_client::TraceServiceClient;
use super::proto::{ExportTraceServiceRequest, InstrumentationScope, Resource, ResourceSpans, ScopeSpans, Span};
use crate::Error;
use crate::metrics::Spans;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// Most spans of one message to the collector.
const MOST_SPANS: usize = 512;
/// How long spans are gathered for one message.
const GATHER: Duration = Duration::from_secs(1);
/// Longest time for the collector to take a message.
const TIMEOUT: Duration = Duration::from_secs(5);
/// At the end, longest time to hand over what is left.
const FLUSH: Duration = Duration::from_secs(3);

/// Sends spans.
pub struct Exporter {
    /// Where to.
    pub endpoint: Endpoint,
    /// Who sends them.
    pub resource: Resource,
    /// Counts what was taken.
    pub metrics: Spans,
    /// Counts what was not.
    pub losses: Arc<Losses>,
}

/// Where a collector is.
///
/// # Errors
/// [`Error::Option`] for something else than `http://HOST:PORT`.
pub fn endpoint(url: &str) -> Result<Endpoint, Error> {
    let wrong = |hint: &str| {
        let reason = format!("is \"{url}\"; {hint}");
        Error::Option { option: "otlp_endpoint", reason }
    };
    let usual = "it must be the address of a collector as in http://localhost:4317";
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| wrong(&format!("{usual}: {error}")))?;
    let uri = endpoint.uri();
    match uri.scheme_str() {
        Some("http") if matches!(uri.path(), "" | "/") && uri.query().is_none() => {
            Ok(endpoint.connect_timeout(TIMEOUT).timeout(TIMEOUT))
        }
        Some("http") => Err(wrong("a collector is asked by gRPC, which has no path; name its address alone")),
        Some("https") => Err(wrong("spans are sent unencrypted; name a collector near the server, by http")),
        _ => Err(wrong(usual)),
    }
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
        let mut client = TraceServiceClient::new(self.endpoint.connect_lazy());
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

    async fn send(&self, client: &mut TraceServiceClient<Channel>, spans: Vec<Span>) {
        let count = spans.len();
        let scope = InstrumentationScope { name: "selfie-serve".into(), version: env!("CARGO_PKG_VERSION").into() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans }];
        let resource_spans = vec![ResourceSpans { resource: Some(self.resource.clone()), scope_spans }];
        match timeout(TIMEOUT, client.export(ExportTraceServiceRequest { resource_spans })).await {
            Ok(Ok(response)) => {
                let partly = response.into_inner().partial_success.unwrap_or_default();
                let rejected = usize::try_from(partly.rejected_spans).unwrap_or_default().min(count);
                self.metrics.sent(count - rejected);
                if rejected > 0 {
                    self.losses
                        .add(rejected, format_args!("{} rejected them: {}", self.collector(), partly.error_message));
                }
            }
            Ok(Err(status)) => self.losses.add(
                count,
                format_args!(
                    "{}: {}; it must take OTLP over gRPC, which most do on port 4317",
                    self.collector(),
                    cause(&status)
                ),
            ),
            Err(_) => self.losses.add(count, format_args!("{} did not answer within {TIMEOUT:?}", self.collector())),
        }
    }

    fn collector(&self) -> String {
        format!("the collector at {}", self.endpoint.uri())
    }
}

/// What is at the bottom of an error: the system's own words where there is no connection.
fn cause(status: &Status) -> String {
    let mut deepest: &dyn std::error::Error = status;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_and_nothing_else() {
        for url in ["http://localhost:4317", "http://10.0.0.1:4317/", "http://[::1]:4317"] {
            assert!(endpoint(url).is_ok(), "{url}");
        }
        for (url, hint) in [
            ("", "as in http"),
            ("localhost:4317", "as in http"),
            ("grpc://localhost:4317", "as in http"),
            ("http://localhost:4318/v1/traces", "no path"),
            ("https://localhost:4317", "unencrypted"),
            ("http://local host", "as in http"),
        ] {
            let message = endpoint(url).unwrap_err().to_string();
            assert!(message.contains("otlp_endpoint") && message.contains(hint), "{url}: {message}");
        }
    }
}
