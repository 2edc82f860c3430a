//! Where spans wait for the exporter. Whoever brings one never waits: what does not fit is lost.

use super::losses::Losses;
use super::proto::Span;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The end of the queue into which spans go.
pub struct Queue {
    sender: Mutex<Option<Sender<Span>>>,
    losses: Arc<Losses>,
}

impl Queue {
    /// A queue for so many spans, and its other end.
    pub fn new(most_spans: usize, losses: Arc<Losses>) -> (Self, Receiver<Span>) {
        let (sender, receiver) = channel(most_spans);
        (Self { sender: Mutex::new(Some(sender)), losses }, receiver)
    }

    /// Puts a span into the queue, if there is room.
    pub fn push(&self, span: Span) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = match sender.as_ref().map(Sender::try_reserve) {
            Some(Ok(room)) => return room.send(span),
            Some(Err(TrySendError::Full(()))) => "they come faster than the collector takes them",
            Some(Err(TrySendError::Closed(()))) | None => "the server is ending",
        };
        drop(sender);
        self.losses.add(1, reason);
    }

    /// Takes no more. The other end gets what waits, and then that there will be nothing else.
    pub fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn what_does_not_fit_is_counted_and_what_waits_is_kept() {
        let metrics = Metrics::new().unwrap();
        let (queue, mut receiver) = Queue::new(2, Arc::new(Losses::new(metrics.spans.clone())));
        let span = |name: &str| Span { name: name.into(), ..Span::default() };
        ["a", "b", "c"].into_iter().for_each(|name| queue.push(span(name)));
        queue.close();
        queue.push(span("d"));
        let names: Vec<String> = std::iter::from_fn(|| receiver.blocking_recv()).map(|span| span.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(metrics.text().unwrap().contains("selfie_spans_dropped_total 2"));
    }
}
