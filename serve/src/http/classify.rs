//! `POST /v1/classify`: images in, the best classes out, with probabilities (softmax of the model's scores), or with the scores as the
//! model gives them.

use super::envelope::OpenAi;
use super::{App, answered, images, null, resource};
use crate::Error;
use crate::batch::Terms;
use crate::engine::{Answers, Served, Which};
use crate::model::row::best;
use crate::whole::Whole;
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

const DEFAULT_TOP_K: usize = 5;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v1/classify", "POST").route(web::post().to(classify)));
}

/// What a request for classes may ask for.
#[derive(Debug, Deserialize)]
pub struct Options {
    /// Most classes for each image.
    pub top_k: Option<Whole>,
    /// Whether scores are those of the model, before softmax.
    #[serde(default, deserialize_with = "null::or_default")]
    pub raw_scores: bool,
}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    model: &'a str,
    data: Vec<Classes<'a>>,
}

#[derive(Serialize)]
struct Classes<'a> {
    index: usize,
    predictions: Vec<Prediction<'a>>,
}

#[derive(Serialize)]
struct Prediction<'a> {
    label: &'a str,
    index: usize,
    score: f32,
}

async fn classify(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, OpenAi> {
    let form = images::read::<Options>(&app, "classify", &request, payload).await?;
    let (served, tracked) = app.track(app.engine.route(form.model.as_deref(), Which::Usual), "classify")?;
    let top_k = form.options.top_k.map_or(DEFAULT_TOP_K, Whole::count);
    let (labels, answers) = tracked.end(run(&served, form.images, top_k, form.terms).await)?;
    let (timing, raw_scores) = (form.timing.max(answers.timing), form.options.raw_scores);
    let predictions = |logits: &[f32]| {
        let prediction = |(index, probability): (usize, f32)| {
            let score = if raw_scores { logits[index] } else { probability };
            Prediction { label: labels[index].as_str(), index, score }
        };
        best(logits, top_k).into_iter().map(prediction).collect()
    };
    Ok(answered(&served, timing, |response| {
        let logits = answers.rows.iter().filter_map(|row| served.model.logits(row)).enumerate();
        let data = logits.map(|(index, logits)| Classes { index, predictions: predictions(logits) }).collect();
        Ok(response.json(Response { object: "classify", model: &served.name, data }))
    })?)
}

/// The labels of the classes, and the scores of the images. `top_k` is how many classes are asked for.
///
/// # Errors
/// A model without classes, no class at all, and those of [`Served::images`].
pub async fn run(
    served: &Served,
    images: Vec<Bytes>,
    top_k: usize,
    terms: Terms,
) -> Result<(&[String], Answers), Error> {
    let Some(labels) = served.model.labels() else {
        return Err(Error::invalid("model", format!("model \"{}\" gives no class scores", served.name)));
    };
    if top_k == 0 {
        return Err(Error::invalid("top_k", "top_k is 0; it must be at least 1"));
    }
    Ok((labels, served.images(images, terms).await?))
}
