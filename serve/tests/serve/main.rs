//! The server over real HTTP, with real ONNX models that are made here.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod bad_requests;
mod binary;
mod caching;
mod classify;
mod client;
mod collector;
mod compressed;
mod concurrency;
mod embeddings;
mod fetching;
mod galleries;
mod grpc;
mod grpc_life;
mod infer;
mod install;
mod labels;
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
mod sessions;
mod shadows;
mod tls;
mod traces;
mod unpacked;
mod waiting;
