//! The server over real HTTP, with real ONNX models that are made here.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod bad_requests;
mod binary;
mod classify;
mod client;
mod compressed;
mod concurrency;
mod embeddings;
mod grpc;
mod grpc_life;
mod infer;
mod install;
mod leaving;
mod life;
mod metadata;
mod network;
mod offline;
mod pictures;
mod pillow;
mod polling;
mod python;
mod refusal;
mod repository;
mod runtimes;
mod tls;
mod unpacked;
mod waiting;
