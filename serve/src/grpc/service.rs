//! `inference.GRPCInferenceService`: every call, in one line or two.

use super::infer::infer;
use super::proto::inference::grpc_inference_service_server::GrpcInferenceService;
use super::proto::inference::*;
use super::repository::{administer, may};
use super::status::status;
use super::{settings, stream};
use crate::app::App;
use crate::trace::Context;
use crate::{Error, protocol};
use std::sync::Arc;
use tokio::sync::watch;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status, Streaming};

/// Where the time of a request went, in its metadata.
pub const SERVER_TIMING: &str = "server-timing";

/// The service.
#[derive(Clone)]
pub struct Inference {
    /// What every call shares.
    pub app: Arc<App>,
    /// Whether open streams are to end.
    pub stop: watch::Receiver<bool>,
}

type Answer<T> = Result<Response<T>, Status>;

/// The version in a request, which is empty when any will do.
pub fn version(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The answer, or the error as a status.
fn answer<T>(result: Result<T, Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| status(&error))
}

#[tonic::async_trait]
impl GrpcInferenceService for Inference {
    async fn server_live(&self, _: Request<ServerLiveRequest>) -> Answer<ServerLiveResponse> {
        answer(Ok(ServerLiveResponse { live: true }))
    }

    async fn server_ready(&self, _: Request<ServerReadyRequest>) -> Answer<ServerReadyResponse> {
        answer(Ok(ServerReadyResponse { ready: self.app.is_ready() }))
    }

    async fn model_ready(&self, request: Request<ModelReadyRequest>) -> Answer<ModelReadyResponse> {
        let ModelReadyRequest { name, version: wanted } = request.into_inner();
        answer(match protocol::find(&self.app.engine, &name, version(&wanted)) {
            Err(error @ Error::Invalid { .. }) => Err(error),
            found => Ok(ModelReadyResponse { ready: found.is_ok_and(|served| !served.is_broken()) }),
        })
    }

    async fn server_metadata(&self, _: Request<ServerMetadataRequest>) -> Answer<ServerMetadataResponse> {
        answer(Ok(protocol::server_metadata().into()))
    }

    async fn model_metadata(&self, request: Request<ModelMetadataRequest>) -> Answer<ModelMetadataResponse> {
        let ModelMetadataRequest { name, version: wanted } = request.into_inner();
        let found = protocol::find(&self.app.engine, &name, version(&wanted));
        answer(found.map(|served| protocol::model_metadata(&self.app.engine, &served).into()))
    }

    async fn model_infer(&self, request: Request<ModelInferRequest>) -> Answer<ModelInferResponse> {
        let (metadata, extensions, request) = request.into_parts();
        let trace = extensions.get::<Context>().cloned();
        let (response, timing) = infer(&self.app, &metadata, trace, request).await.map_err(|error| status(&error))?;
        let mut response = Response::new(response);
        if let Ok(timing) = MetadataValue::try_from(timing.header()) {
            response.metadata_mut().insert(SERVER_TIMING, timing);
        }
        Ok(response)
    }

    type ModelStreamInferStream = stream::Answers;

    async fn model_stream_infer(
        &self,
        request: Request<Streaming<ModelInferRequest>>,
    ) -> Answer<Self::ModelStreamInferStream> {
        let (metadata, extensions, requests) = request.into_parts();
        let trace = extensions.get::<Context>().cloned();
        let mut stop = self.stop.clone();
        let end = async move {
            // The sender goes only when the server does.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        answer(Ok(stream::answers(self.app.clone(), metadata, trace, requests, end)))
    }

    async fn model_config(&self, request: Request<ModelConfigRequest>) -> Answer<ModelConfigResponse> {
        let ModelConfigRequest { name, version: wanted } = request.into_inner();
        let found = protocol::find(&self.app.engine, &name, version(&wanted));
        let config = found.map(|served| protocol::model_config(&self.app.engine, &served, &self.app.config).into());
        answer(config.map(|config| ModelConfigResponse { config: Some(config) }))
    }

    async fn model_statistics(&self, request: Request<ModelStatisticsRequest>) -> Answer<ModelStatisticsResponse> {
        let ModelStatisticsRequest { name, version: wanted } = request.into_inner();
        let engine = &self.app.engine;
        let found = match (name.as_str(), version(&wanted)) {
            ("", _) => Ok(protocol::all_statistics(engine)),
            (name, None) => protocol::model_statistics(engine, name),
            (name, version) => protocol::find(engine, name, version).map(|served| vec![protocol::statistics(&served)]),
        };
        answer(found.map(|stats| ModelStatisticsResponse { model_stats: stats.into_iter().map(Into::into).collect() }))
    }

    async fn repository_index(&self, request: Request<RepositoryIndexRequest>) -> Answer<RepositoryIndexResponse> {
        answer(Ok(protocol::index(&self.app.engine, request.get_ref().ready).into()))
    }

    async fn repository_model_load(
        &self,
        request: Request<RepositoryModelLoadRequest>,
    ) -> Answer<RepositoryModelLoadResponse> {
        let (metadata, _, request) = request.into_parts();
        let load = administer(&self.app, &metadata, move |engine| {
            protocol::without_parameters(request.parameters.keys())?;
            engine.load(&request.model_name)
        });
        answer(load.await.map(|()| RepositoryModelLoadResponse {}))
    }

    async fn repository_model_unload(
        &self,
        request: Request<RepositoryModelUnloadRequest>,
    ) -> Answer<RepositoryModelUnloadResponse> {
        let (metadata, _, request) = request.into_parts();
        let unload = administer(&self.app, &metadata, move |engine| engine.unload(&request.model_name));
        answer(unload.await.map(|()| RepositoryModelUnloadResponse {}))
    }

    async fn trace_setting(&self, request: Request<TraceSettingRequest>) -> Answer<TraceSettingResponse> {
        let (metadata, _, request) = request.into_parts();
        let settings = may(&self.app, &metadata).and_then(|()| settings::trace(&self.app, request));
        answer(settings.map(Into::into))
    }

    async fn log_settings(&self, request: Request<LogSettingsRequest>) -> Answer<LogSettingsResponse> {
        let (metadata, _, request) = request.into_parts();
        let changes = request.settings.into_iter().map(|(name, setting)| (name, setting.into()));
        let settings = may(&self.app, &metadata).and_then(|()| protocol::update_log(changes));
        answer(settings.map(Into::into))
    }
}
