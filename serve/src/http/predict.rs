//! `POST /predict`: an image in, its classes out, in the words of Hugging Face's `text-embeddings-inference` and of the task `image-classification`
//! of its clients: a list of labels with scores for one image, a list of such lists for a list of images.

use super::envelope::OpenAi;
use super::{App, answered, classify, images, null, resource};
use crate::engine::Which;
use crate::model::row::best;
use crate::whole::Whole;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/predict", "POST").route(web::post().to(predict)));
}

#[derive(Debug, Deserialize)]
struct Options {
    /// Whether scores are those of the model, before softmax.
    #[serde(default, deserialize_with = "null::or_default")]
    raw_scores: bool,
    #[serde(default, deserialize_with = "null::or_default")]
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    /// Most classes for each image, all by default.
    top_k: Option<Whole>,
    function_to_apply: Option<Function>,
}

/// What makes scores of the model's.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Softmax,
    Sigmoid,
    None,
}

/// A class as clients of these APIs know one.
#[derive(Serialize)]
pub struct Prediction<'a> {
    /// Its name.
    pub label: &'a str,
    /// Its probability, or the score that was asked for in its place.
    pub score: f32,
}

async fn predict(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, OpenAi> {
    let form = images::read::<Options>(&app, "predict", &request, payload).await?;
    let (served, tracked) = app.track(app.engine.route(form.model.as_deref(), Which::Usual), "predict")?;
    let Options { raw_scores, parameters } = form.options;
    let usual = if raw_scores { Function::None } else { Function::Softmax };
    let function = parameters.function_to_apply.unwrap_or(usual);
    let top_k = parameters.top_k.map_or(usize::MAX, Whole::count);
    let (labels, answers) = tracked.end(classify::run(&served, form.images, top_k, form.terms).await)?;
    let predictions = |logits: &[f32]| -> Vec<_> {
        let prediction = |(index, probability): (usize, f32)| {
            let score = function.score(logits[index], probability);
            Prediction { label: labels[index].as_str(), score }
        };
        best(logits, top_k).into_iter().map(prediction).collect()
    };
    Ok(answered(&served, form.timing.max(answers.timing), |response| {
        let logits = answers.rows.iter().filter_map(|row| served.model.logits(row));
        let found: Vec<_> = logits.map(predictions).collect();
        Ok(match &found[..] {
            [alone] if !form.is_list => response.json(alone),
            all => response.json(all),
        })
    })?)
}

impl Function {
    fn score(self, logit: f32, probability: f32) -> f32 {
        match self {
            Self::Softmax => probability,
            Self::Sigmoid => 1.0 / (1.0 + (-logit).exp()),
            Self::None => logit,
        }
    }
}
