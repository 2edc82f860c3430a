//! Model store, runtimes, preprocessing, batching and HTTP: everything between a `model.onnx` and a client.
//!
//! The layers depend one way: HTTP and gRPC → protocol → engine → batch → runtime. The same pipeline without HTTP is [`model::open`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`], [`error`] | every option; everything that can go wrong, with its HTTP status |
//! | [`store`] | `<store>/<model>/<version>/model.onnx`: which models there are, and by `versions.toml` which versions serve |
//! | [`model_file`] | one ONNX file and its card, checked against each other |
//! | [`foreign`] | a card for an ONNX file that has none |
//! | [`runtime`] | ONNX Runtime, tract and rten behind one small trait, which of them may serve, batch sizes, installation |
//! | [`preprocess`] | from image bytes to the numbers that the card asks for |
//! | [`model`] | a loaded model: file, runtime, preprocessing, golden samples; for use without a server |
//! | [`offline`] | images, folders, tar and Parquet in, one file out, without a server |
//! | [`stamp`] | which model made a file of vectors |
//! | [`batch`] | many callers, one runtime: a bounded queue and a runner |
//! | [`engine`] | every model of a store, ready or refused |
//! | [`gallery`] | files of vectors, searched exactly |
//! | [`metrics`] | what `/metrics` shows |
//! | [`trace`] | spans of requests and batches, for a collector |
//! | [`logging`] | what the log shows, changed while the server runs |
//! | `client` | requests to other servers |
//! | `fetch` | images by URL, from hosts that the options name |
//! | [`app`] | what every handler shares: keys, deadlines, the phase of the server's life |
//! | [`protocol`] | the Open Inference Protocol without a transport |
//! | [`http`] | one file a route: begin with `embeddings` |
//! | [`grpc`] | the Open Inference Protocol over gRPC |
//! | [`tls`] | the certificate for both |
//! | [`plan`] | what a server would do with its options |
//! | [`server`] | binding, draining |
//! | `signals` | what SIGTERM, SIGINT and SIGHUP do |
//! | [`mod@bench`] | how fast all that is, beside others |
//! | [`fuzz`] | what reads bytes from strangers, for the fuzz targets |

pub mod app;
pub mod batch;
pub mod bench;
mod client;
mod columns;
pub mod config;
pub mod engine;
pub mod error;
mod fetch;
pub mod foreign;
pub mod fuzz;
pub mod gallery;
pub mod grpc;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod model;
pub mod model_file;
mod npy;
pub mod offline;
mod opened;
pub mod plan;
pub mod preprocess;
pub mod protocol;
pub mod runtime;
pub mod server;
mod signals;
pub mod stamp;
pub mod store;
pub mod tls;
pub mod trace;
pub(crate) mod usage;
mod watched;
mod whole;

pub use config::Config;
pub use error::Error;
pub use model::Model;
pub use server::Server;
