//! Items on the runtime, and those who wait for them.

use super::Answer;
use crate::Error;
use crate::model::Row;
use crate::preprocess::Pixels;
use crate::trace::Context;
use std::time::Duration;
use tokio::sync::oneshot;

/// Items on the runtime and those who wait for them, in the same order.
#[derive(Default)]
pub struct Batch {
    pub inputs: Vec<Pixels>,
    pub callers: Vec<Caller>,
}

/// Who waits for an item.
pub struct Caller {
    pub answer: oneshot::Sender<Result<Answer, Error>>,
    pub queue: Duration,
    pub trace: Option<Context>,
}

impl Batch {
    /// The spans of the requests that are traced, one for each item.
    pub fn traces(&self) -> Vec<&Context> {
        self.callers.iter().filter_map(|caller| caller.trace.as_ref()).collect()
    }

    /// Gives everybody the row of their item.
    pub fn answer(self, model: &str, rows: Vec<Row>, infer: Duration) {
        let batch_size = self.callers.len();
        for (caller, row) in self.callers.into_iter().zip(rows) {
            let answer = match row.is_finite() {
                true => Ok(Answer { row, queue: caller.queue, infer, batch_size }),
                false => Err(failure(model, "it gave a number that is not finite")),
            };
            // A caller that has left since does not want to know.
            let _ = caller.answer.send(answer);
        }
    }

    /// Tells everybody that it failed.
    pub fn fail(self, error: impl Fn() -> Error) {
        for caller in self.callers {
            let _ = caller.answer.send(Err(error()));
        }
    }

    /// The two halves, without items whose callers have left.
    pub fn halves(self) -> (Self, Self) {
        let wanted = self.inputs.into_iter().zip(self.callers).filter(|(_, caller)| !caller.answer.is_closed());
        let (mut inputs, mut callers): (Vec<_>, Vec<_>) = wanted.unzip();
        let half = inputs.len().div_ceil(2);
        let second = Self { inputs: inputs.split_off(half), callers: callers.split_off(half) };
        (Self { inputs, callers }, second)
    }
}

/// The runtime's failure on an item.
pub fn failure(model: &str, reason: &str) -> Error {
    Error::Backend { model: model.to_owned(), reason: reason.to_owned() }
}
