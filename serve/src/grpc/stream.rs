//! `ModelStreamInfer`: many requests on one connection, answered in their order. One that fails is answered with its error, and
//! the stream goes on.

use super::infer::infer;
use super::proto::inference::{ModelInferRequest, ModelInferResponse, ModelStreamInferResponse};
use super::status::status;
use crate::Error;
use crate::app::{App, Phase};
use futures_util::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use tonic::Status;
use tonic::metadata::MetadataMap;

/// Most requests of one stream that are on their way at once, so that they can share a batch.
const PIPELINE: usize = 32;

/// The answers of a stream.
pub type Answers = Pin<Box<dyn Stream<Item = Result<ModelStreamInferResponse, Status>> + Send>>;

/// Answers the requests until there are no more or `end` comes.
pub fn answers(
    app: Arc<App>,
    metadata: MetadataMap,
    requests: impl Stream<Item = Result<ModelInferRequest, Status>> + Send + 'static,
    end: impl Future<Output = ()> + Send + 'static,
) -> Answers {
    let metadata = Arc::new(metadata);
    let answers = requests.take_until(Box::pin(end)).map(move |request| {
        let (app, metadata) = (app.clone(), metadata.clone());
        async move { Ok(answer(&app, &metadata, request?).await) }
    });
    Box::pin(answers.buffered(PIPELINE))
}

async fn answer(app: &App, metadata: &MetadataMap, request: ModelInferRequest) -> ModelStreamInferResponse {
    let _flight = app.enter_flight();
    let id = request.id.clone();
    let result = match app.phase() {
        Phase::Stopping => Err(Error::Draining),
        Phase::Serving | Phase::Leaving => infer(app, metadata, request).await,
    };
    let (error_message, response) = match result {
        Ok((response, _)) => (String::new(), response),
        Err(error) => (status(&error).message().to_owned(), ModelInferResponse { id, ..Default::default() }),
    };
    ModelStreamInferResponse { error_message, infer_response: Some(response) }
}
