//! What a trace shows of the queue and of the batch.

use crate::metrics::Stage;
use crate::trace::{Context, SpanId};
use std::collections::BTreeMap;
use std::time::Instant;

/// One item of a model and a version waited. `failed` is the kind of the error, if it did not come to the runtime.
pub fn waited(trace: &Context, labels: [&str; 2], [start, end]: [Instant; 2], failed: Option<&str>) {
    let mut span = trace.child(Stage::Queue.name(), start);
    span.set("selfie.model", labels[0]);
    span.set("selfie.model_version", labels[1]);
    if let Some(kind) = failed {
        span.fail(kind, "it waited as long as it may");
    }
    span.end(end);
}

/// A batch of so many items ran, some of which are traced: a span for it with a link to each of their requests, and one for each
/// request with a link to it.
pub fn ran(
    traces: &[&Context],
    batch_size: usize,
    labels: [&str; 2],
    [start, end]: [Instant; 2],
    failed: Option<&str>,
) {
    let Some(first) = traces.first() else { return };
    let mut requests: BTreeMap<SpanId, (&Context, usize)> = BTreeMap::new();
    for &trace in traces {
        requests.entry(trace.span_id()).or_insert((trace, 0)).1 += 1;
    }
    let mut batch = first.apart("batch", start);
    let mut spans: Vec<_> = Vec::with_capacity(requests.len() + 1);
    for (trace, items) in requests.into_values() {
        batch.link(trace);
        let mut infer = trace.child(Stage::Infer.name(), start);
        infer.link(batch.context());
        infer.set("selfie.items", items);
        spans.push(infer);
    }
    spans.push(batch);
    for mut span in spans {
        span.set("selfie.model", labels[0]);
        span.set("selfie.model_version", labels[1]);
        span.set("selfie.batch_size", batch_size);
        if let Some(reason) = failed {
            span.fail("backend", reason);
        }
        span.end(end);
    }
}
