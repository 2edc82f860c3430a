//! The messages, services and clients that are generated from `proto/`.

/// `inference`: the Open Inference Protocol.
#[allow(missing_docs, clippy::all)]
pub mod inference {
    tonic::include_proto!("inference");
}

/// `grpc.health.v1`: gRPC's health check.
#[allow(missing_docs, clippy::all)]
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}
