//! `POST /classify`: images in, their classes out, in the words of infinity: for each image a list of labels with scores, best first.
//!
//! # Source
//! infinity's `ClassifyResult`, <https://github.com/michaelfeil/infinity>.

use super::classify::Options;
use super::envelope::OpenAi;
use super::predict::Prediction;
use super::receipt::Receipt;
use super::{App, answered, classify, images, resource};
use crate::engine::Which;
use crate::model::row::best;
use crate::whole::Whole;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/classify", "POST").route(web::post().to(infinity)));
}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    model: &'a str,
    data: Vec<Vec<Prediction<'a>>>,
    #[serde(flatten)]
    receipt: Receipt,
}

async fn infinity(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, OpenAi> {
    let form = images::read::<Options>(&app, "classify", &request, payload).await?;
    let (served, tracked) = app.track(app.engine.route(form.model.as_deref(), Which::Usual), "classify")?;
    let Options { top_k, raw_scores } = form.options;
    let top_k = top_k.map_or(usize::MAX, Whole::count);
    let (labels, answers) = tracked.end(classify::run(&served, form.images, top_k, form.terms).await)?;
    let predictions = |logits: &[f32]| {
        let prediction = |(index, probability): (usize, f32)| {
            let score = if raw_scores { logits[index] } else { probability };
            Prediction { label: labels[index].as_str(), score }
        };
        best(logits, top_k).into_iter().map(prediction).collect()
    };
    Ok(answered(&served, form.timing.max(answers.timing), |response| {
        let logits = answers.rows.iter().filter_map(|row| served.model.logits(row));
        let data = logits.map(predictions).collect();
        let receipt = Receipt::of(&request);
        Ok(response.json(Response { object: "classify", model: &served.name, data, receipt }))
    })?)
}
