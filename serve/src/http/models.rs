//! `GET /v1/models`: the models that are served, in the words of OpenAI's API: each by its name, which stands for the version that
//! answers by default, and by `name:label` for each of its labels. What infinity tells of a model stands beside it.

use super::{App, resource};
use crate::engine::Served;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde::Serialize;
use std::borrow::Cow;
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
    id: Cow<'a, str>,
    object: &'static str,
    /// When the file was written, in seconds of Unix time.
    created: u64,
    owned_by: &'static str,
    /// Name of the runtime.
    backend: &'static str,
    device: String,
    capabilities: Vec<&'static str>,
    stats: Stats,
}

/// How busy a model is, as infinity says it.
#[derive(Serialize)]
struct Stats {
    /// The part of the queue that is taken.
    queue_fraction: f64,
    /// Items that wait.
    queue_absolute: i64,
    /// Requests that are not answered yet.
    results_pending: i64,
    /// The largest batch that the runtime gets.
    batch_size: usize,
}

impl<'a> Model<'a> {
    /// The description of a version that is served, which clients call `id`.
    pub fn of(id: impl Into<Cow<'a, str>>, served: &Served) -> Self {
        let created =
            served.written().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_secs());
        let (model, choice) = (&served.model, &served.model.choice);
        let embeds = model.embedding_width().map(|_| "image_embed");
        let classifies = model.labels().map(|_| "classify");
        Self {
            id: id.into(),
            object: "model",
            created,
            owned_by: "selfie",
            backend: choice.runtime,
            device: choice.device.to_string(),
            capabilities: embeds.into_iter().chain(classifies).collect(),
            stats: Stats::of(served),
        }
    }
}

impl Stats {
    fn of(served: &Served) -> Self {
        let queue_absolute = served.metrics.waiting();
        Self {
            queue_fraction: queue_absolute as f64 / served.max_queue_items() as f64,
            queue_absolute,
            results_pending: served.metrics.pending(),
            batch_size: served.max_batch_size(),
        }
    }
}

async fn models(app: Data<App>) -> HttpResponse {
    let slots = app.engine.slots();
    let mut data = Vec::new();
    for (name, serving) in slots.iter().filter_map(|(name, slot)| Some((name, slot.serving.as_ref()?))) {
        data.push(Model::of(name, serving.live()));
        let labelled = serving.labels().filter_map(|label| Some((label, serving.label(label)?)));
        data.extend(labelled.map(|(label, served)| Model::of(format!("{name}:{label}"), served)));
    }
    HttpResponse::Ok().json(Response { object: "list", data })
}
