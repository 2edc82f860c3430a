//! `GET /v1/galleries/{gallery}/map`: a gallery in two dimensions, the first two principal components of its vectors.
//!
//! `Accept: application/octet-stream` gives the points alone, see [`super::vectors`].

use super::envelope::OpenAi;
use super::{App, accept, resource, vectors};
use crate::Error;
use actix_web::http::header::VARY;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v1/galleries/{gallery}/map", "GET").route(web::get().to(map)));
}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    gallery: &'a str,
    /// Number of vectors of the gallery.
    vectors: usize,
    /// Number of vectors that the axes were found from.
    sample: usize,
    /// The part of the whole variance along each axis.
    variance: [f64; 2],
    /// Which vectors have a point.
    rows: &'a [usize],
    ids: Vec<&'a str>,
    labels: Vec<Option<&'a str>>,
    points: &'a [[f32; 2]],
}

async fn map(app: Data<App>, request: HttpRequest, name: Path<String>) -> Result<HttpResponse, OpenAi> {
    let form = accept::form(&request)?;
    let gallery = app.galleries.find(Some(&name))?;
    // Whoever asks first waits for seconds of all processors: not on the threads that read and write.
    let shared = app.clone();
    let made = web::block(move || shared.galleries.find(Some(&name)).map(|gallery| gallery.map().sample)).await;
    made.map_err(|_| Error::Server { reason: "a map was lost on its way".into() })??;
    let map = gallery.map();
    let mut response = HttpResponse::Ok();
    response.insert_header((VARY, "accept"));
    if let accept::Form::Bytes(dtype) = form {
        return Ok(vectors::write(dtype, &map.points, &mut response));
    }
    Ok(response.json(Response {
        object: "map",
        gallery: &gallery.name,
        vectors: gallery.len(),
        sample: map.sample,
        variance: map.shares,
        rows: &map.rows,
        ids: map.rows.iter().map(|row| gallery.ids[*row].as_str()).collect(),
        labels: map.rows.iter().map(|row| gallery.label(*row)).collect(),
        points: &map.points,
    }))
}
