//! `GET` and `POST /v2/trace/setting` and `/v2/models/{model}/trace/setting`: which requests are traced, for administrators.
//!
//! # Source
//! Triton's trace extension.

use super::envelope::KServe;
use super::{App, administrator, body, resource};
use crate::Error;
use crate::protocol::{self, TraceSettings};
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let server = resource("/v2/trace/setting", "GET, POST");
    config.service(server.route(web::get().to(settings)).route(web::post().to(update)));
    let model = resource("/v2/models/{model}/trace/setting", "GET, POST");
    config.service(model.route(web::get().to(model_settings)).route(web::post().to(update_model)));
}

/// The new value of a setting: `null` for the one of the start.
#[derive(Deserialize)]
#[serde(untagged)]
enum Setting {
    One(String),
    Some(Vec<String>),
    Unset(()),
}

impl From<Setting> for Vec<String> {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::One(value) => vec![value],
            Setting::Some(values) => values,
            Setting::Unset(()) => Self::new(),
        }
    }
}

async fn settings(app: Data<App>, http: HttpRequest) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    Ok(answer(&protocol::trace_settings(app.tracer.as_ref())))
}

async fn update(app: Data<App>, http: HttpRequest, payload: Payload) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    let changes = read(&app, &http, payload).await?;
    Ok(answer(&protocol::update_trace(app.tracer.as_ref(), changes)?))
}

async fn model_settings(app: Data<App>, model: Path<String>, http: HttpRequest) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    protocol::find(&app.engine, &model, None)?;
    Ok(answer(&protocol::trace_settings(app.tracer.as_ref())))
}

async fn update_model(
    app: Data<App>,
    model: Path<String>,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    protocol::find(&app.engine, &model, None)?;
    let changes = read(&app, &http, payload).await?;
    Ok(answer(&protocol::update_model_trace(app.tracer.as_ref(), changes)?))
}

async fn read(
    app: &App,
    http: &HttpRequest,
    payload: Payload,
) -> Result<impl Iterator<Item = (String, Vec<String>)>, Error> {
    let body = body::read(http, payload, &app.config).await?;
    let changes: BTreeMap<String, Setting> = body::json(&body)?;
    Ok(changes.into_iter().map(|(name, setting)| (name, setting.into())))
}

/// The level is a list, all else a text.
fn answer(settings: &TraceSettings) -> HttpResponse {
    let value = |name: &str, values: &[String]| match (name, values) {
        ("trace_level", levels) => json!(levels),
        (_, values) => json!(values.first()),
    };
    let fields = settings.iter().map(|(name, values)| ((*name).to_owned(), value(name, values)));
    HttpResponse::Ok().json(Value::Object(fields.collect()))
}
