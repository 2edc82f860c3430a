//! Around every call: its id, its span, its key, the pace of its body, the metrics, the log, the refusal while the server stops. Then it
//! goes to its service.

use super::body::timely;
use super::health::Check;
use super::proto::health::health_server::{HealthServer, SERVICE_NAME as HEALTH};
use super::proto::inference::grpc_inference_service_server::{GrpcInferenceServiceServer, SERVICE_NAME as INFERENCE};
use super::reflection::{Reflection, SERVICE_NAME as REFLECTION, reflection};
use super::service::{Inference, SERVER_TIMING};
use super::status::status;
use super::{terms, trace};
use crate::Error;
use crate::app::request_id::{self, request_id};
use crate::app::{App, Phase};
use crate::engine::with_total;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use tokio::time::timeout_at;
use tonic::body::Body;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::http::{HeaderMap, HeaderValue, Request, Response};
use tonic::{Code, Status};
use tower::Service;
use tracing::Instrument;
use tracing::field::{Empty, display};

/// Every call that there is.
const METHODS: [&str; 17] = [
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "ModelMetadata",
    INFER,
    "ModelStreamInfer",
    "ModelConfig",
    "ModelStatistics",
    "RepositoryIndex",
    "RepositoryModelLoad",
    "RepositoryModelUnload",
    "TraceSetting",
    "LogSettings",
    "Check",
    "Watch",
    "ServerReflectionInfo",
];

/// Those with many requests in one call.
const STREAMS: [&str; 2] = ["ModelStreamInfer", "ServerReflectionInfo"];

/// The call that asks a model once.
const INFER: &str = "ModelInfer";

/// The name of every other call.
const UNKNOWN: &str = "_unknown";

const LATE: &str = "the call was not answered before its deadline; give it more time or fewer images";

/// Takes every call.
#[derive(Clone)]
pub struct Front {
    app: Arc<App>,
    inference: GrpcInferenceServiceServer<Inference>,
    health: HealthServer<Check>,
    reflection: Reflection,
}

impl Front {
    /// The services. Open streams end when `stop` says so.
    ///
    /// # Errors
    /// That of [`reflection`].
    pub fn new(app: Arc<App>, stop: watch::Receiver<bool>) -> Result<Self, Error> {
        // What comes may be compressed, what goes is not: clients announce by default that they would take it, and
        // floats hardly shrink.
        let health = Check { app: app.clone(), stop: stop.clone() };
        let inference = GrpcInferenceServiceServer::new(Inference { app: app.clone(), stop })
            .max_decoding_message_size(app.config.max_body_bytes)
            .accept_compressed(Gzip);
        Ok(Self { health: HealthServer::new(health), app, inference, reflection: reflection()? })
    }

    /// The answer to a call that came at `start`.
    pub async fn answer(mut self, request: Request<Body>, start: Instant) -> Response<Body> {
        let app = self.app.clone();
        let _flight = app.enter_flight();
        let method = method(request.uri().path());
        let mut request = request.map(|body| timely(body, app.config.body_timeout_ms, STREAMS.contains(&method)));
        let id = request_id(text(request.headers(), request_id::HEADER));
        let is_known = method != UNKNOWN;
        let begun = app.tracer.as_ref().map(|tracer| trace::begin(tracer, &mut request, is_known, &id, start));
        let trace_id = begun.as_ref().map(|begun| display(begun.trace_id));
        let span = tracing::error_span!("request", id, trace_id, method, model = Empty, version = Empty);
        let mut response = match refusal(&app, &request) {
            Some(error) => {
                if method == INFER {
                    app.metrics.unserved("infer", &error);
                }
                status(&error).into_http()
            }
            None => self.in_time(request, start).instrument(span.clone()).await,
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(request_id::HEADER, id);
        }
        let took = start.elapsed();
        let timing = with_total(text(response.headers(), SERVER_TIMING).unwrap_or_default(), took);
        if let Ok(timing) = HeaderValue::from_str(&timing) {
            response.headers_mut().insert(SERVER_TIMING, timing);
        }
        let status = Status::from_header_map(response.headers());
        let code = status.as_ref().map_or(Code::Ok, Status::code);
        app.metrics.grpc.observe(method, code, took);
        if let Some(traced) = begun.and_then(|begun| begun.span) {
            trace::end(traced, code, status.as_ref().map_or("", Status::message));
        }
        let took_ms = took.as_secs_f64() * 1e3;
        let _inside = span.enter();
        if app.is_slow(took) {
            tracing::warn!(?code, took_ms, stages = text(response.headers(), SERVER_TIMING), "answered slowly");
        } else if app.config.log_requests {
            tracing::info!(?code, took_ms, "answered");
        } else {
            tracing::debug!(?code, took_ms, "answered");
        }
        response
    }

    /// The answer, or that the client's deadline has passed.
    async fn in_time(&mut self, request: Request<Body>, start: Instant) -> Response<Body> {
        let Some(deadline) = terms::timeout(request.headers()).and_then(|timeout| start.checked_add(timeout)) else {
            return self.dispatch(request).await;
        };
        let answer = timeout_at(deadline.into(), self.dispatch(request)).await;
        answer.unwrap_or_else(|_| Status::deadline_exceeded(LATE).into_http())
    }

    async fn dispatch(&mut self, request: Request<Body>) -> Response<Body> {
        let answered = match service(request.uri().path()) {
            Some(HEALTH) => self.health.call(request).await,
            Some(REFLECTION) => Ok((self.reflection)(request).await),
            _ => self.inference.call(request).await,
        };
        answered.unwrap_or_else(|never| match never {})
    }
}

/// Why the call goes no further, if it does not.
fn refusal(app: &App, request: &Request<Body>) -> Option<Error> {
    let path = request.uri().path();
    if let Err(error) = app.access.inference(path, text(request.headers(), "authorization")) {
        return Some(error);
    }
    (app.phase() == Phase::Stopping && service(path) != Some(HEALTH)).then_some(Error::Draining)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The service in `/service/method`.
fn service(path: &str) -> Option<&str> {
    path.strip_prefix('/')?.split_once('/').map(|(service, _)| service)
}

/// The name of the call in metrics, since raw paths would make one for each that anybody thinks of.
fn method(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_ours = matches!(service(path), Some(HEALTH | INFERENCE | REFLECTION));
    METHODS.into_iter().find(|method| is_ours && *method == name).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn calls_that_come_while_the_server_stops_count_as_draining() {
        let store = tempfile::tempdir().unwrap();
        let app = Arc::new(App::example(store.path()));
        let stop = watch::Sender::new(false);
        let front = Front::new(app.clone(), stop.subscribe()).unwrap();
        app.enter(Phase::Stopping);
        for call in [INFER, "RepositoryIndex"] {
            let request = Request::builder().uri(format!("/{INFERENCE}/{call}")).body(Body::empty()).unwrap();
            let response = front.clone().answer(request, Instant::now()).await;
            assert_eq!(Status::from_header_map(response.headers()).unwrap().code(), Code::Unavailable, "{call}");
        }
        let text = app.metrics.text().unwrap();
        let labels = "{api=\"infer\",model=\"_unknown\",outcome=\"draining\",version=\"_unknown\"}";
        assert!(text.contains(&format!("selfie_requests_total{labels} 1\n")), "{text}");
    }

    #[test]
    fn every_call_of_the_services_has_its_name_in_the_metrics() {
        let services = [
            (INFERENCE, include_str!("../../proto/inference.proto")),
            (HEALTH, include_str!("../../proto/health.proto")),
            (REFLECTION, "rpc ServerReflectionInfo(stream ServerReflectionRequest)"),
        ];
        let calls = services.into_iter().flat_map(|(service, text)| {
            let calls = text.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split_once('('));
            calls.map(move |(call, takes)| (format!("/{service}/{call}"), call, takes.starts_with("stream ")))
        });
        let calls: Vec<_> = calls.collect();
        assert_eq!(calls.len(), METHODS.len());
        for (path, call, is_stream) in &calls {
            assert_eq!((method(path), STREAMS.contains(call)), (*call, *is_stream));
        }
        for path in ["/x/ModelInfer", "/ModelInfer", "", "/inference.GRPCInferenceService/Infer"] {
            assert_eq!(method(path), "_unknown", "{path}");
        }
    }
}
