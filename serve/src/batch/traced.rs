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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::proto::any_value::Value;
    use crate::trace::proto::{Span, Status};

    const LABELS: [&str; 2] = ["m", "3"];

    fn number(span: &Span, key: &str) -> i64 {
        let value =
            span.attributes.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_ref()?.value.as_ref());
        match value {
            Some(Value::IntValue(number)) => *number,
            other => panic!("{key} is {other:?}"),
        }
    }

    #[test]
    fn a_batch_that_fails_is_told_once_to_each_request_in_it() {
        let ([one, other], mut queue) = Context::for_tests();
        let now = Instant::now();
        ran(&[&one, &other, &one], 4, LABELS, [now, now], Some("out of memory"));
        drop((one, other));
        let spans: Vec<Span> = std::iter::from_fn(|| queue.try_recv().ok()).collect();
        let infers = spans.iter().filter(|span| span.name == "infer");
        let mut items: Vec<i64> = infers.map(|span| number(span, "selfie.items")).collect();
        items.sort_unstable();
        assert_eq!((items, spans.len()), (vec![1, 2], 3));
        let batch = spans.iter().find(|span| span.name == "batch").unwrap();
        assert_eq!((batch.links.len(), batch.trace_state.as_str(), number(batch, "selfie.batch_size")), (2, "", 4));
        for span in &spans {
            assert!(span.name == "batch" || span.links[0].span_id == batch.span_id && span.trace_state == "shop=7");
            assert_eq!(span.status, Some(Status { message: "out of memory".into(), code: 2 }), "{}", span.name);
        }
    }

    #[test]
    fn without_a_traced_request_nothing_is_told() {
        let ([trace], mut queue) = Context::for_tests();
        let now = Instant::now();
        ran(&[], 4, LABELS, [now, now], None);
        assert!(queue.try_recv().is_err());
        waited(&trace, LABELS, [now, now], Some("timeout"));
        let span = queue.try_recv().unwrap();
        assert_eq!((span.name.as_str(), span.status.map(|status| status.code)), ("queue", Some(2)));
    }
}
