//! `POST /v2/repository/models/{model}/load` and `/unload`: for administrators, when the server was started with `--admin`.
//!
//! A load takes the highest version of the store, aside; what answers now answers on until the new one is proven. Files and
//! configurations in the request are not taken.
//!
//! # Source
//! Triton's model repository extension.

use super::envelope::KServe;
use super::{App, administrator, body, null, resource};
use crate::{Error, protocol};
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let path = "/v2/repository/models/{model}/load";
    config.service(resource(path, "POST").route(web::post().to(load)));
    let path = "/v2/repository/models/{model}/unload";
    config.service(resource(path, "POST").route(web::post().to(unload)));
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
struct Request {
    #[serde(default, deserialize_with = "null::or_default")]
    parameters: Map<String, Value>,
}

async fn load(
    app: Data<App>,
    model: Path<String>,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    let request = read(&app, &http, payload).await?;
    protocol::without_parameters(request.parameters.keys())?;
    let loading = app.clone();
    // A load that has begun is finished, even when the client leaves.
    let loaded = web::block(move || loading.engine.load(&model)).await;
    loaded.map_err(|error| Error::Server { reason: format!("the load was cut off: {error}") })??;
    Ok(HttpResponse::Ok().finish())
}

async fn unload(
    app: Data<App>,
    model: Path<String>,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    read(&app, &http, payload).await?;
    let unloading = app.clone();
    let unloaded = web::block(move || unloading.engine.unload(&model)).await;
    unloaded.map_err(|error| Error::Server { reason: format!("the unload was cut off: {error}") })??;
    Ok(HttpResponse::Ok().finish())
}

async fn read(app: &App, http: &HttpRequest, payload: Payload) -> Result<Request, Error> {
    body::json_or_nothing(&body::read(http, payload, &app.config).await?)
}
