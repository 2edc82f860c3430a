//! `GET /v1/models`: the models that are served, in the words of OpenAI's API.

use super::{App, resource};
use crate::engine::Served;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde::Serialize;
use std::time::UNIX_EPOCH;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v1/models", "GET").route(web::get().to(models)));
}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

/// A model as OpenAI's API describes one.
#[derive(Serialize)]
pub struct Model<'a> {
    id: &'a str,
    object: &'static str,
    /// When the file was written, in seconds of Unix time.
    created: u64,
    owned_by: &'static str,
}

impl<'a> Model<'a> {
    /// The description of a model that is served.
    pub fn of(served: &'a Served) -> Self {
        let written = std::fs::metadata(&served.model.file.path).and_then(|metadata| metadata.modified()).ok();
        let created = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_secs());
        Self { id: &served.name, object: "model", created, owned_by: "selfie" }
    }
}

async fn models(app: Data<App>) -> HttpResponse {
    let slots = app.engine.slots();
    let served = slots.values().filter_map(|slot| slot.served.as_ref());
    let data = served.map(|served| Model::of(served)).collect();
    HttpResponse::Ok().json(Response { object: "list", data })
}
