//! `GET /v2/models/{model}[/versions/{version}]`: names, types and shapes of a model's inputs and outputs.
//!
//! # Source
//! KServe open inference protocol, version 2.

use super::envelope::KServe;
use super::{App, resource};
use crate::engine::Served;
use crate::{Error, protocol};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde::Deserialize;
use std::sync::Arc;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
        config.service(resource(path, "GET").route(web::get().to(metadata)));
    }
}

/// The model that a path names.
#[derive(Deserialize)]
pub struct Named {
    model: String,
    version: Option<String>,
}

impl Named {
    /// The model itself.
    ///
    /// # Errors
    /// The name or the version is unknown, or the model was refused.
    pub fn find(&self, app: &App) -> Result<Arc<Served>, Error> {
        protocol::find(&app.engine, &self.model, self.version.as_deref())
    }
}

async fn metadata(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    Ok(HttpResponse::Ok().json(protocol::model_metadata(&served)))
}
