//! `grpc.health.v1.Health`: whether the server is ready, for probes of Kubernetes and balancers.
//!
//! `Watch` is left out, which the protocol allows: clients ask again.

use super::proto::health::health_check_response::ServingStatus;
use super::proto::health::health_server::Health;
use super::proto::health::{HealthCheckRequest, HealthCheckResponse};
use super::proto::inference::grpc_inference_service_server::SERVICE_NAME;
use crate::app::App;
use futures_util::stream::Empty;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Answers for the whole server.
#[derive(Clone)]
pub struct Check(pub Arc<App>);

#[tonic::async_trait]
impl Health for Check {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = &request.get_ref().service;
        if !service.is_empty() && service != SERVICE_NAME {
            return Err(Status::not_found(format!("service \"{service}\" is not here; there is {SERVICE_NAME}")));
        }
        let status = if self.0.is_ready() { ServingStatus::Serving } else { ServingStatus::NotServing };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    type WatchStream = Empty<Result<HealthCheckResponse, Status>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("Watch is not there; ask Check again"))
    }
}
