//! `ServerMetadata` and `ModelMetadata`.

use super::proto::inference::model_metadata_response::TensorMetadata;
use super::proto::inference::{ModelMetadataResponse, ServerMetadataResponse};
use crate::protocol;

impl From<protocol::ServerMetadata> for ServerMetadataResponse {
    fn from(metadata: protocol::ServerMetadata) -> Self {
        Self {
            name: metadata.name.to_owned(),
            version: metadata.version.to_owned(),
            extensions: metadata.extensions.map(str::to_owned).to_vec(),
        }
    }
}

impl From<protocol::ModelMetadata<'_>> for ModelMetadataResponse {
    fn from(metadata: protocol::ModelMetadata<'_>) -> Self {
        Self {
            name: metadata.name.to_owned(),
            versions: metadata.versions,
            platform: metadata.platform,
            inputs: metadata.inputs.into_iter().map(Into::into).collect(),
            outputs: metadata.outputs.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<protocol::TensorMetadata<'_>> for TensorMetadata {
    fn from(tensor: protocol::TensorMetadata<'_>) -> Self {
        Self { name: tensor.name.to_owned(), datatype: tensor.datatype.to_owned(), shape: tensor.shape }
    }
}
