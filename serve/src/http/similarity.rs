//! `POST /v1/similarity`: images in, the cosine of every pair of their vectors out.

use super::envelope::OpenAi;
use super::{App, answered, images, resource};
use crate::Error;
use crate::engine::Which;
use crate::model::row::unit;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

const PATHS: [&str; 2] = ["/v1/similarity", "/similarity"];

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    for path in PATHS {
        config.service(resource(path, "POST").route(web::post().to(similarity)));
    }
}

/// There is nothing to choose.
#[derive(Deserialize)]
struct Options {}

#[derive(Serialize)]
struct Response<'a> {
    object: &'static str,
    model: &'a str,
    /// Row `i`, column `j`: image `i` with image `j`.
    data: Vec<Vec<f32>>,
}

async fn similarity(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, OpenAi> {
    let form = images::read::<Options>(&app, "similarity", &request, payload).await?;
    let (served, tracked) = app.track(app.engine.route(form.model.as_deref(), Which::Usual), "similarity")?;
    let result = async {
        if served.model.embedding_width().is_none() {
            return Err(Error::invalid("model", format!("model \"{}\" gives no embedding", served.name)));
        }
        served.images(form.images, form.terms).await
    };
    let answers = tracked.end(result.await)?;
    Ok(answered(&served, form.timing.max(answers.timing), |response| {
        let vectors = answers.rows.iter().filter_map(|row| served.model.embedding(row));
        Ok(response.json(Response { object: "similarity", model: &served.name, data: cosines(vectors) }))
    })?)
}

fn cosines<'a>(vectors: impl Iterator<Item = &'a [f32]>) -> Vec<Vec<f32>> {
    let vectors: Vec<Vec<f32>> = vectors.map(unit).collect();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    vectors.iter().map(|a| vectors.iter().map(|b| dot(a, b).clamp(-1.0, 1.0) as f32).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_do_not_depend_on_length() {
        let vectors = [[2.0f32, 0.0], [0.0, 3.0], [-1.0, 0.0], [0.0, 0.0]];
        let found = cosines(vectors.iter().map(|vector| vector.as_slice()));
        assert_eq!(found[0], [1.0, 0.0, -1.0, 0.0]);
        assert_eq!(found[1], [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(found[3], [0.0; 4], "a vector of zeros has no direction");
    }
}
