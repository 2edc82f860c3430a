//! `POST /v1/embeddings`: images in, vectors out, in the words of OpenAI's API.
//!
//! Vectors come as the model gives them; `"normalized": true` scales them to length 1. `dimensions` keeps the first
//! numbers and scales the rest to length 1, as OpenAI does. `encoding_format`, which Jina calls `embedding_type`, is the form
//! of a vector in JSON, or leaves JSON as vLLM does, see [`super::numbers`]; the `Accept` header may ask for bare numbers as well, see
//! [`super::accept`].

use super::envelope::OpenAi;
use super::numbers::{Dtype, Endianness, Numbers};
use super::receipt::Receipt;
use super::{App, accept, answered, images, null, resource, vectors};
use crate::Error;
use crate::engine::Which;
use crate::model::row::normalise;
use crate::whole::Whole;
use actix_web::http::header::VARY;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

const PATHS: [&str; 2] = ["/v1/embeddings", "/embeddings"];

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    for path in PATHS {
        config.service(resource(path, "POST").route(web::post().to(embeddings)));
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Options {
    encoding_format: Option<Format>,
    embedding_type: Option<Format>,
    #[serde(default, deserialize_with = "null::or_default")]
    embed_dtype: Dtype,
    #[serde(default, deserialize_with = "null::or_default")]
    endianness: Endianness,
    dimensions: Option<Whole>,
    #[serde(default, deserialize_with = "null::or_default")]
    normalized: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    #[default]
    Float,
    /// [`Numbers`], 32-bit floats without more.
    Base64,
    /// [`Numbers`] with a header that says where each vector lies.
    Bytes,
    /// [`Numbers`] alone.
    BytesOnly,
    /// One bit a number, set where it is positive; the first bit of a byte is its highest. Each byte minus 128.
    Binary,
    /// As [`Format::Binary`], the bytes as they are.
    Ubinary,
}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    model: &'a str,
    data: Vec<Embedding>,
    #[serde(flatten)]
    receipt: Receipt,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Float(Vec<f32>),
    Base64(String),
    Binary(Vec<i8>),
    Ubinary(Vec<u8>),
}

async fn embeddings(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, OpenAi> {
    let wanted = app.counted("embeddings", accept::form(&request))?;
    let form = images::read::<Options>(&app, "embeddings", &request, payload).await?;
    let (served, tracked) = app.track(app.engine.route(form.model.as_deref(), Which::Usual), "embeddings")?;
    let result = async {
        let Some(width) = served.model.embedding_width() else {
            return Err(Error::invalid("model", format!("model \"{}\" gives no embedding", served.name)));
        };
        if let Some(dimensions) = form.options.dimensions().filter(|dimensions| !(1..=width).contains(dimensions)) {
            return Err(Error::invalid("dimensions", format!("dimensions is {dimensions}; it must be 1 to {width}")));
        }
        let format = form.options.format()?;
        Ok((format, served.images(form.images, form.terms).await?))
    };
    let (format, answers) = tracked.end(result.await)?;
    let (timing, options) = (form.timing.max(answers.timing), form.options);
    Ok(answered(&served, timing, |response| {
        let rows = answers.rows.iter().filter_map(|row| served.model.embedding(row));
        let found: Vec<_> = rows.map(|vector| options.cut(vector)).collect();
        response.insert_header((VARY, "accept"));
        let model = &served.name;
        Ok(match (wanted, format) {
            (accept::Form::Bytes(dtype), _) => vectors::write(dtype, &found, response),
            (_, Format::Bytes) => options.numbers().describe(&found, model, response),
            (_, Format::BytesOnly) => options.numbers().write(&found, response),
            _ => {
                let embedding = |(index, vector)| Embedding {
                    object: "embedding",
                    index,
                    embedding: options.write(format, vector),
                };
                let data = found.into_iter().enumerate().map(embedding).collect();
                response.json(Response { object: "list", model, data, receipt: Receipt::of(&request) })
            }
        })
    })?)
}

impl Options {
    fn dimensions(&self) -> Option<usize> {
        self.dimensions.map(Whole::count)
    }

    fn cut(&self, vector: &[f32]) -> Vec<f32> {
        let mut vector = vector[..self.dimensions().unwrap_or(vector.len())].to_vec();
        if self.normalized || self.dimensions.is_some() {
            normalise(&mut vector);
        }
        vector
    }

    fn numbers(&self) -> Numbers {
        Numbers { dtype: self.embed_dtype, endianness: self.endianness }
    }

    /// The form that is asked for under either name, or under both.
    fn format(&self) -> Result<Format, Error> {
        match (self.encoding_format, self.embedding_type) {
            (Some(one), Some(other)) if one != other => {
                let reason = "encoding_format and embedding_type ask for different forms of a vector; send one of them";
                Err(Error::invalid("embedding_type", reason))
            }
            (one, other) => Ok(other.or(one).unwrap_or_default()),
        }
    }

    /// A vector in JSON.
    fn write(&self, format: Format, vector: Vec<f32>) -> Vector {
        match format {
            Format::Base64 => Vector::Base64(STANDARD.encode(self.numbers().bytes(&vector))),
            Format::Binary => Vector::Binary(vectors::bits(&vector).map(|byte| (byte ^ 0x80) as i8).collect()),
            Format::Ubinary => Vector::Ubinary(vectors::bits(&vector).collect()),
            Format::Float | Format::Bytes | Format::BytesOnly => Vector::Float(vector),
        }
    }
}
