//! The HTTP surface. A route is one file, with its request, its response, its handler and its `configure`, and one line
//! in [`ROUTES`].

mod accept;
mod api;
mod body;
mod bulk;
mod classify;
mod console;
pub(crate) mod data_uri;
mod embeddings;
mod encoding;
mod envelope;
mod galleries;
mod gallery_map;
mod gallery_thumbnail;
pub(crate) mod images;
pub(crate) mod infer;
mod infinity;
mod inflate;
mod messages;
mod method;
mod metrics;
mod model;
mod models;
pub(crate) mod multipart;
mod null;
mod numbers;
mod observe;
mod openapi;
mod origin;
mod predict;
mod receipt;
mod repository_index;
mod repository_load;
pub(crate) mod search;
mod server_health;
mod server_metadata;
mod similarity;
mod starting;
pub(crate) mod tensor;
mod terms;
mod trace;
mod v2_config;
mod v2_logging;
mod v2_model;
mod v2_model_ready;
mod v2_statistics;
mod v2_trace;
mod vectors;

pub use encoding::keep;
pub use observe::observe;
pub use starting::Starting;

use crate::Error;
use crate::app::App;
use crate::engine::{Served, Timing};
use crate::metrics::Stage;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use envelope::{KServe, OpenAi};
use std::time::Instant;

/// Where the time of a request went, and the version that answered it.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const MODEL_VERSION: HeaderName = HeaderName::from_static("x-model-version");

/// Every route.
pub const ROUTES: &[fn(&mut ServiceConfig)] = &[
    embeddings::configure,
    classify::configure,
    infinity::configure,
    predict::configure,
    similarity::configure,
    search::configure,
    galleries::configure,
    gallery_map::configure,
    gallery_thumbnail::configure,
    models::configure,
    model::configure,
    server_metadata::configure,
    server_health::configure,
    // Before the models: `stats` is no model's name.
    v2_statistics::configure,
    v2_model::configure,
    v2_model_ready::configure,
    v2_config::configure,
    infer::configure,
    repository_index::configure,
    repository_load::configure,
    v2_logging::configure,
    v2_trace::configure,
    metrics::configure,
    openapi::configure,
    console::configure,
];

/// Adds every route and the answer for paths that have none.
pub fn configure(config: &mut ServiceConfig) {
    for route in ROUTES {
        route(config);
    }
    config.default_service(web::to(unknown_path));
}

async fn unknown_path(request: HttpRequest) -> HttpResponse {
    refuse(&request, Error::UnknownPath { path: request.path().to_owned() })
}

/// A resource at `path` that answers other methods than those of its routes with 405 and `Allow`.
fn resource(path: &str, allow: &'static str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(move |request: HttpRequest| async move {
        refuse(&request, Error::Method { method: request.method().to_string(), allow })
    }))
}

/// A response that says which version of the model has answered, and how long that took, `write` included.
fn answered(
    served: &Served,
    timing: Timing,
    write: impl FnOnce(&mut HttpResponseBuilder) -> Result<HttpResponse, Error>,
) -> Result<HttpResponse, Error> {
    let start = Instant::now();
    let mut response = write(&mut HttpResponse::Ok())?;
    let timing = timing.with(Stage::Encode, start.elapsed());
    timing.count(&served.metrics);
    response.headers_mut().insert(MODEL_VERSION, served.version.into());
    timed(&mut response, timing);
    Ok(response)
}

/// Says where the time of a request went.
fn timed(response: &mut HttpResponse, timing: Timing) {
    if let Ok(stages) = HeaderValue::from_str(&timing.header()) {
        response.headers_mut().insert(SERVER_TIMING, stages);
    }
}

/// Whether the sender may change what the server does.
fn administrator(app: &App, http: &HttpRequest) -> Result<(), Error> {
    app.administration(authorization(http.headers()))?;
    origin::check(http, app.config.admin_keys.is_some())
}

/// The `Authorization` of a request.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()
}

/// The error in the envelope of the path that was asked for.
fn refuse(request: &HttpRequest, error: Error) -> HttpResponse {
    if request.path().starts_with("/v2") { KServe(error).error_response() } else { OpenAi(error).error_response() }
}
