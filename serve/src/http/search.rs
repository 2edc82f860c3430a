//! `POST /v1/search`: images or vectors in, their exact nearest neighbours in a gallery out.

use super::envelope::OpenAi;
use super::{App, answered, images, null, resource, timed};
use crate::Error;
use crate::engine::{Laps, Timing};
use crate::gallery::{Gallery, Hit};
use crate::metrics::Stage;
use crate::whole::Whole;
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::time::Instant;

/// Neighbours of one query, by default and at most.
const USUAL_K: usize = 10;
const MAX_K: usize = 1000;
/// Most thumbnails of one response, some kilobytes each.
const MAX_THUMBNAILS: usize = 1000;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v1/search", "POST").route(web::post().to(search)));
}

/// Where to search, for what besides images, and what to tell.
#[derive(Deserialize)]
pub struct Options {
    gallery: Option<Name>,
    vector: Option<Vectors>,
    k: Option<Whole>,
    label: Option<Labels>,
    #[serde(default, deserialize_with = "null::or_default")]
    thumbnails: bool,
    #[serde(default, deserialize_with = "null::or_default")]
    map: bool,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a vector or a list of vectors")]
enum Vectors {
    One(Vec<f32>),
    Many(Vec<Vec<f32>>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a label or a list of labels")]
enum Labels {
    One(Name),
    Many(Vec<Name>),
}

/// What is searched for.
enum Query {
    Images(Vec<Bytes>),
    Vectors(Vec<Vec<f32>>),
}

/// A name, which is a number where the options came as text and the name looks like one.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(Number),
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        match name {
            Name::Text(text) => text,
            Name::Number(number) => number.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    gallery: &'a str,
    data: Vec<Neighbours<'a>>,
}

/// What is near one query.
#[derive(Serialize)]
struct Neighbours<'a> {
    index: usize,
    /// The place of the query on the map of the gallery.
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<[f32; 2]>,
    neighbours: Vec<Neighbour<'a>>,
}

#[derive(Serialize)]
struct Neighbour<'a> {
    /// Which vector of the gallery, from 0.
    row: usize,
    id: &'a str,
    label: Option<&'a str>,
    /// Cosine of the angle between the vectors.
    score: f64,
    /// A JPEG in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

async fn search(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, OpenAi> {
    let form = images::read_any::<Options>(&app, "search", &request, payload).await?;
    let images::Form { model, images, options, timing, terms, .. } = form;
    let (gallery, query) = app.counted("search", options.asked(&app, images))?;
    let name = gallery.name.clone();
    let (vectors, answers) = match query {
        Query::Vectors(vectors) => (vectors, None),
        Query::Images(images) => {
            let (served, tracked) = app.track(gallery.model(&app.engine, model.as_deref()), "search")?;
            let answers = tracked.end(served.images(images, terms).await)?;
            let rows = answers.rows.iter().filter_map(|row| served.model.embedding(row));
            let vectors = rows.map(<[f32]>::to_vec).collect();
            (vectors, Some((served, answers.timing)))
        }
    };
    // The product takes all processors for some milliseconds: not on the threads that read and write.
    let laps = Laps::start();
    let answer = web::block(move || answer(&app, &name, &vectors, &options, laps)).await;
    let (body, searched) = answer.map_err(|_| Error::Server { reason: "a search was lost on its way".into() })??;
    let timing = timing.max(searched);
    let write = |response: &mut HttpResponseBuilder| Ok(response.content_type("application/json").body(body));
    match answers {
        Some((served, answers)) => Ok(answered(&served, timing.max(answers), write)?),
        None => {
            let mut response = write(&mut HttpResponse::Ok())?;
            timed(&mut response, timing);
            Ok(response)
        }
    }
}

/// Searches and writes the response; says how long both took.
fn answer(
    app: &App,
    name: &str,
    vectors: &[Vec<f32>],
    options: &Options,
    mut laps: Laps,
) -> Result<(Vec<u8>, Timing), Error> {
    let gallery = app.galleries.find(Some(name))?;
    let labels = options.labels();
    let start = Instant::now();
    let found = gallery.search(vectors, options.k(), labels.as_deref());
    app.metrics.galleries.searched(name, vectors.len(), start.elapsed());
    laps.lap(Stage::Search);
    let neighbour = |hit: Hit| {
        let jpeg = if options.thumbnails { gallery.thumbnail(hit.row)? } else { None };
        let thumbnail = jpeg.map(|jpeg| STANDARD.encode(jpeg));
        let Hit { row, score } = hit;
        Ok(Neighbour { row, id: &gallery.ids[row], label: gallery.label(row), score, thumbnail })
    };
    let neighbours = |(index, hits): (usize, Vec<Hit>)| {
        let neighbours = hits.into_iter().map(neighbour).collect::<Result<_, Error>>()?;
        let map = options.map.then(|| gallery.map().point(&vectors[index]));
        Ok(Neighbours { index, map, neighbours })
    };
    let data = found.into_iter().enumerate().map(neighbours).collect::<Result<_, Error>>()?;
    let body = serde_json::to_vec(&Response { object: "search", gallery: name, data });
    let body = body.map_err(|error| Error::Server { reason: format!("a response cannot be written: {error}") })?;
    laps.lap(Stage::Encode);
    Ok((body, laps.timing))
}

impl Options {
    /// Where to search, and for what.
    fn asked<'a>(&self, app: &'a App, images: Vec<Bytes>) -> Result<(&'a Gallery, Query), Error> {
        let gallery = self.gallery(app)?;
        let vectors = self.vector.as_ref().map_or(0, |vectors| vectors.all().len());
        self.few_thumbnails(gallery, images.len().max(vectors))?;
        let query = match (&self.vector, images.is_empty()) {
            (Some(vectors), true) => Query::Vectors(vectors.checked(gallery, app.config.request_items())?),
            (None, false) => Query::Images(images),
            (Some(_), false) => return Err(Error::invalid("input", "images and vector are both there; send one")),
            (None, true) => return Err(Error::invalid("input", "input is missing; send images, or a vector")),
        };
        Ok((gallery, query))
    }

    /// The gallery that is meant, when everything else that is asked of it can be had.
    fn gallery<'a>(&self, app: &'a App) -> Result<&'a Gallery, Error> {
        let gallery = app.galleries.find(self.gallery.clone().map(String::from).as_deref())?;
        let k = self.k();
        if !(1..=MAX_K).contains(&k) {
            return Err(Error::invalid("k", format!("k is {k}; it must be 1 to {MAX_K}")));
        }
        let labels = self.labels().unwrap_or_default();
        if let Some(unknown) = labels.iter().find(|label| !gallery.classes().contains(label)) {
            return Err(Error::invalid("label", format!("gallery \"{}\" has no label \"{unknown}\"", gallery.name)));
        }
        if self.thumbnails && !gallery.has_thumbnails() {
            let reason = format!("gallery \"{}\" has none; `selfie embed --thumbnails` makes them", gallery.name);
            return Err(Error::invalid("thumbnails", reason));
        }
        Ok(gallery)
    }

    /// Refuses to give the thumbnails of very many neighbours in one response.
    fn few_thumbnails(&self, gallery: &Gallery, queries: usize) -> Result<(), Error> {
        let neighbours = queries.saturating_mul(self.k().min(gallery.len()));
        if self.thumbnails && neighbours > MAX_THUMBNAILS {
            let reason =
                format!("{neighbours} neighbours with thumbnails in one response; at most {MAX_THUMBNAILS}, lower k");
            return Err(Error::invalid("thumbnails", reason));
        }
        Ok(())
    }

    fn k(&self) -> usize {
        self.k.map_or(USUAL_K, Whole::count)
    }

    /// The labels that a neighbour may have, if not all.
    fn labels(&self) -> Option<Vec<String>> {
        let labels = match self.label.as_ref()? {
            Labels::One(label) => std::slice::from_ref(label),
            Labels::Many(labels) => labels.as_slice(),
        };
        Some(labels.iter().cloned().map(String::from).collect())
    }
}

impl Vectors {
    fn all(&self) -> &[Vec<f32>] {
        match self {
            Self::One(vector) => std::slice::from_ref(vector),
            Self::Many(vectors) => vectors,
        }
    }

    /// The vectors, when they fit the gallery.
    fn checked(&self, gallery: &Gallery, limit: usize) -> Result<Vec<Vec<f32>>, Error> {
        let vectors = self.all();
        if vectors.len() > limit {
            return Err(Error::TooManyItems { found: vectors.len(), limit });
        }
        for vector in vectors {
            if vector.len() != gallery.width() {
                let (found, width) = (vector.len(), gallery.width());
                let reason = format!("vector has {found} numbers, those of gallery \"{}\" have {width}", gallery.name);
                return Err(Error::invalid("vector", reason));
            }
            if vector.iter().any(|value| !value.is_finite()) {
                return Err(Error::invalid("vector", "vector holds a number that 32 bits cannot"));
            }
        }
        Ok(vectors.to_vec())
    }
}
