//! `ModelStreamInfer`: many requests on one connection, answered in their order. One that fails is answered with its error, and
//! the stream goes on. In a trace each request is a span of its own; that of the call is only its opening.

use super::infer::infer;
use super::proto::inference::{ModelInferRequest, ModelInferResponse, ModelStreamInferResponse};
use super::status::status;
use super::trace;
use crate::Error;
use crate::app::{App, Phase};
use crate::trace::Context;
use futures_util::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

/// Most requests of one stream that are on their way at once, so that they can share a batch.
const PIPELINE: usize = 32;

/// The answers of a stream.
pub type Answers = Pin<Box<dyn Stream<Item = Result<ModelStreamInferResponse, Status>> + Send>>;

/// Answers the requests until there are no more or `end` comes.
pub fn answers(
    app: Arc<App>,
    metadata: MetadataMap,
    call: Option<Context>,
    requests: impl Stream<Item = Result<ModelInferRequest, Status>> + Send + 'static,
    end: impl Future<Output = ()> + Send + 'static,
) -> Answers {
    let metadata = Arc::new(metadata);
    let answers = requests.take_until(Box::pin(end)).map(move |request| {
        let (app, metadata, call) = (app.clone(), metadata.clone(), call.clone());
        async move { Ok(answer(&app, &metadata, call.as_ref(), request?).await) }
    });
    Box::pin(answers.buffered(PIPELINE))
}

async fn answer(
    app: &App,
    metadata: &MetadataMap,
    call: Option<&Context>,
    request: ModelInferRequest,
) -> ModelStreamInferResponse {
    let _flight = app.enter_flight();
    let span = call.map(|call| call.child("request", Instant::now()));
    let trace = span.as_ref().map(|span| span.context().clone());
    let id = request.id.clone();
    let result = match app.phase() {
        Phase::Stopping => app.counted("infer", Err(Error::Draining)),
        Phase::Serving | Phase::Leaving => infer(app, metadata, trace, request).await,
    };
    let (code, error_message, response) = match result {
        Ok((response, _)) => (Code::Ok, String::new(), response),
        Err(error) => {
            let status = status(&error);
            (status.code(), status.message().to_owned(), ModelInferResponse { id, ..Default::default() })
        }
    };
    if let Some(span) = span {
        trace::end(span, code, &error_message);
    }
    ModelStreamInferResponse { error_message, infer_response: Some(response) }
}
