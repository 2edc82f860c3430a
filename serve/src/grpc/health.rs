//! `grpc.health.v1.Health`: whether the server is ready, for probes of Kubernetes, for balancers and for clients that watch it.

use super::proto::health::health_check_response::ServingStatus;
use super::proto::health::health_server::Health;
use super::proto::health::{HealthCheckRequest, HealthCheckResponse};
use super::proto::inference::grpc_inference_service_server::SERVICE_NAME;
use crate::app::App;
use futures_util::stream::{Stream, StreamExt, unfold};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::{Request, Response, Status};

/// How often a state is looked at that somebody watches.
const EVERY: Duration = Duration::from_millis(500);

/// Answers for the whole server.
#[derive(Clone)]
pub struct Check {
    /// What every call shares.
    pub app: Arc<App>,
    /// Whether open streams are to end.
    pub stop: watch::Receiver<bool>,
}

impl Check {
    fn status(&self, service: &str) -> ServingStatus {
        match service {
            "" | SERVICE_NAME if self.app.is_ready() => ServingStatus::Serving,
            "" | SERVICE_NAME => ServingStatus::NotServing,
            _ => ServingStatus::ServiceUnknown,
        }
    }
}

/// The status now, as soon as it is another one than was told last.
async fn news(check: &Check, service: &str, told: Option<ServingStatus>) -> ServingStatus {
    loop {
        let status = check.status(service);
        if told != Some(status) {
            return status;
        }
        sleep(EVERY).await;
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl Health for Check {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = &request.get_ref().service;
        match self.status(service) {
            ServingStatus::ServiceUnknown => {
                Err(Status::not_found(format!("service \"{service}\" is not here; there is {SERVICE_NAME}")))
            }
            status => Ok(Response::new(response(status))),
        }
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (service, mut stop) = (request.into_inner().service, self.stop.clone());
        let statuses = unfold((self.clone(), service, None), |(check, service, told)| async move {
            let status = news(&check, &service, told).await;
            Some((Ok(response(status)), (check, service, Some(status))))
        });
        let end = async move {
            // The sender goes only when the server does.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        Ok(Response::new(Box::pin(statuses.take_until(Box::pin(end)))))
    }
}
