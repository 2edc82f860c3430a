//! Data sets: where they come from, what is wrong with them, and batches of them for training.
//!
//! | module | what it holds |
//! |---|---|
//! | [`source`] | the table entry of a data set, the specs `NAME` and `NAME:ARGUMENT` |
//! | `fashion_mnist`, `fashion_mnist_sample`, `idx_folder` | one source each |
//! | [`idx`] | the IDX format, bytes to images and labels and back |
//! | [`idx_set`] | the four IDX files of a labelled data set |
//! | `contents` | reading, gunzip and SHA-256 of a file |
//! | `roots` | the folders in which a named data set is searched |
//! | [`dataset`] | images in memory, zero-padded, with the statistics of their pixels |
//! | `fetch` | a data set out of its Debian package |
//! | `check` | counts, checksums and duplicates of a data set |
//! | `stratified` | few labels: the same share of every class |
//! | `random`, `epochs` | everything random as a pure function of a seed and a position |
//! | `augment`, `normalise` | pixels to network input |
//! | [`batch`] | the batch of a step as a pure function, and plain batches for evaluation |
//! | `loader`, `loader_config` | batches in order from threads of their own |

mod augment;
pub mod batch;
mod check;
mod contents;
pub mod dataset;
mod epochs;
mod error;
mod fashion_mnist;
mod fashion_mnist_sample;
mod fetch;
pub mod idx;
mod idx_folder;
pub mod idx_set;
mod loader;
mod loader_config;
mod normalise;
mod random;
mod roots;
pub mod source;
mod stratified;

pub use augment::Augment;
pub use batch::{Batch, batch_at, batch_plain};
pub use check::{Duplicates, Report, SplitReport, check};
pub use dataset::{Dataset, Split};
pub use error::DataError;
pub use fetch::fetch;
pub use loader::Loader;
pub use loader_config::LoaderConfig;
pub use source::{Listing, Place, Source, list, open};
pub use stratified::stratified;

/// Every data set that a spec can name.
pub const SOURCES: &[Source] = &[fashion_mnist_sample::SOURCE, fashion_mnist::SOURCE, idx_folder::SOURCE];
