//! `GET /v1/galleries`: the files of vectors that `/v1/search` searches.

use super::{App, resource};
use crate::gallery::Gallery;
use crate::stamp::Stamp;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde::Serialize;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v1/galleries", "GET").route(web::get().to(galleries)));
}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    /// Number of vectors.
    vectors: usize,
    /// Numbers of a vector.
    width: usize,
    labels: &'a [String],
    thumbnails: bool,
    /// The model that made the vectors; null when the file does not tell.
    model: Option<&'a Stamp>,
}

async fn galleries(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(Response { object: "list", data: app.galleries.iter().map(entry).collect() })
}

fn entry(gallery: &Gallery) -> Entry<'_> {
    Entry {
        id: &gallery.name,
        object: "gallery",
        vectors: gallery.len(),
        width: gallery.width(),
        labels: gallery.classes(),
        thumbnails: gallery.has_thumbnails(),
        model: gallery.stamp.as_ref(),
    }
}
