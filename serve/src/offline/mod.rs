//! Embedding and classifying without a server: images in, one file out, by the very pipeline that serves.
//!
//! ```text
//! inputs ─▶ source ─▶ items ─▶ infer (read and decode ahead, run) ─▶ parts ─▶ output
//! ```
//!
//! The items are cut into parts. A part that is done is a file beside the output, so an interrupted job goes on with the part
//! that it was at. The output is written from the parts, beside its place, and renamed when it is whole: the bytes do not depend
//! on interruptions.

mod infer;
mod item;
mod job;
mod output;
mod parts;
mod record;
mod shard;
mod source;
mod thumbnail;

pub use job::{Job, Progress, Report, Task, run};
pub(crate) use output::{Ids, ids_path};
pub use shard::Shard;
pub use source::Names;
