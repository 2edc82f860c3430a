//! The messages and the client that are generated from `proto/trace.proto`.
#![allow(missing_docs, clippy::all)]

tonic::include_proto!("opentelemetry.proto.collector.trace.v1");
