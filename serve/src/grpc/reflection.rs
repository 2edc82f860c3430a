//! `grpc.reflection.v1.ServerReflection`: the services as they are described, so that `grpcurl` and its like need no file.

use crate::Error;
use std::pin::Pin;
use std::sync::Arc;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic_reflection::server::Builder;
use tower::Service;

/// The descriptions of the services that are served.
const SERVICES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/services.bin"));

/// The name of the service.
pub const SERVICE_NAME: &str = "grpc.reflection.v1.ServerReflection";

/// The service, whose own type has no name.
pub type Reflection = Arc<dyn Fn(Request<Body>) -> Answer + Send + Sync>;

type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// The service.
///
/// # Errors
/// [`Error::Server`] when the descriptions are damaged.
pub fn reflection() -> Result<Reflection, Error> {
    let service = Builder::configure().register_encoded_file_descriptor_set(SERVICES).build_v1();
    let service = service.map_err(|error| Error::Server { reason: format!("gRPC: {error}") })?;
    Ok(Arc::new(move |request| {
        let mut service = service.clone();
        Box::pin(async move { service.call(request).await.unwrap_or_else(|never| match never {}) })
    }))
}
