//! `GET /v2/models/{model}[/versions/{version}|/labels/{label}]`: names, types and shapes of a model's inputs and outputs.
//!
//! # Source
//! KServe open inference protocol, version 2; TensorFlow Serving's paths for labels.

use super::envelope::KServe;
use super::{App, resource};
use crate::engine::{Served, Which};
use crate::{Error, protocol};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde::Deserialize;
use std::sync::Arc;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in paths("") {
        config.service(resource(&path, "GET").route(web::get().to(metadata)));
    }
}

/// The paths of what can be asked of a model, of one of its versions, and of one of its labels.
pub fn paths(end: &str) -> [String; 3] {
    ["", "/versions/{version}", "/labels/{label}"].map(|which| format!("/v2/models/{{model}}{which}{end}"))
}

/// The model that a path names.
#[derive(Deserialize)]
pub struct Named {
    model: String,
    version: Option<String>,
    label: Option<String>,
}

impl Named {
    /// The model itself, to look at.
    ///
    /// # Errors
    /// The name, the version or the label is unknown, or the model was refused.
    pub fn find(&self, app: &App) -> Result<Arc<Served>, Error> {
        app.engine.find(Some(&self.model), self.which()?)
    }

    /// The model that answers the request.
    ///
    /// # Errors
    /// Those of [`Named::find`].
    pub fn route(&self, app: &App) -> Result<Arc<Served>, Error> {
        app.engine.route(Some(&self.model), self.which()?)
    }

    /// The name, where the path says neither version nor label.
    pub fn alone(&self) -> Option<&str> {
        Some(self.model.as_str()).filter(|_| self.version.is_none() && self.label.is_none())
    }

    fn which(&self) -> Result<Which<'_>, Error> {
        self.label.as_deref().map_or_else(|| protocol::which(self.version.as_deref()), |label| Ok(Which::Label(label)))
    }
}

async fn metadata(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    Ok(HttpResponse::Ok().json(protocol::model_metadata(&app.engine, &served)))
}
