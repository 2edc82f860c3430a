//! The Open Inference Protocol, version 2, over gRPC, as `inference.GRPCInferenceService`, and gRPC's own health check and reflection.
//!
//! It is the same engine as behind REST, with the same names, keys, limits and messages; the status is
//! [`crate::Error::status`] in gRPC's words. Unlike REST it always answers with raw outputs.
//!
//! `service` has every call in a line or two, `front` stands around all of them, `connection` is the life of a connection,
//! and `serve` that of the server.

mod body;
mod calls;
pub(crate) mod codec;
mod config;
mod connection;
mod connections;
mod front;
mod health;
mod infer;
mod metadata;
mod parameters;
pub mod proto;
mod reflection;
mod repository;
mod serve;
mod service;
mod settings;
mod statistics;
mod status;
mod stream;
mod terms;
mod trace;

pub use serve::Running;
