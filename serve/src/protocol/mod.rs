//! The Open Inference Protocol, version 2, without a transport: what its REST and its gRPC form have in common.
//!
//! # Source
//! KServe open inference protocol, version 2; Triton's extensions of it.

mod find;
mod index;
mod input;
mod load;
mod logging;
mod metadata;
mod model_config;
mod output;
mod statistics;
mod trace_setting;

pub use find::{find, route, which};
pub use index::{VersionState, index};
pub use input::{Data, Input, Tensor, only};
pub use load::without_parameters;
pub use logging::{LogSettings, LogValue, log_settings, update_log};
pub use metadata::{ModelMetadata, ServerMetadata, TensorMetadata, datatype, model_metadata, server_metadata};
pub use model_config::{ModelConfig, model_config};
pub use output::{Choice, Output, Values, Wanted, choose};
pub use statistics::{BatchStats, InferenceStats, ModelStats, all_statistics, model_statistics, statistics};
pub use trace_setting::{TraceSettings, trace_settings, update_model_trace, update_trace};
