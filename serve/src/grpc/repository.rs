//! `RepositoryIndex`, `RepositoryModelLoad` and `RepositoryModelUnload`.

use super::proto::inference::RepositoryIndexResponse;
use super::proto::inference::repository_index_response::ModelIndex;
use crate::Error;
use crate::app::App;
use crate::engine::Engine;
use crate::protocol::VersionState;
use std::sync::Arc;
use tonic::metadata::MetadataMap;

impl From<Vec<VersionState>> for RepositoryIndexResponse {
    fn from(versions: Vec<VersionState>) -> Self {
        let entry = |VersionState { name, version, state, reason }| {
            let state = String::from(state);
            ModelIndex { name, version, state, reason }
        };
        Self { models: versions.into_iter().map(entry).collect() }
    }
}

/// Whether the sender may change what the server does.
///
/// # Errors
/// The administration is off, or who asks may not.
pub fn may(app: &App, metadata: &MetadataMap) -> Result<(), Error> {
    app.administration(metadata.get("authorization").and_then(|value| value.to_str().ok()))
}

/// Does something with the engine that takes its time, for those who may load and unload. What has begun is finished, even
/// when the client leaves.
///
/// # Errors
/// Who asks may not, or what the engine says.
pub async fn administer(
    app: &Arc<App>,
    metadata: &MetadataMap,
    work: impl FnOnce(&Engine) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    may(app, metadata)?;
    let app = app.clone();
    let done = tokio::task::spawn_blocking(move || work(&app.engine)).await;
    done.map_err(|error| Error::Server { reason: format!("the work was cut off: {error}") })?
}
