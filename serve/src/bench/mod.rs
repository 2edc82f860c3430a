//! What `selfie bench` measures of the server, each beside what it is compared with, in turn in one run.
//!
//! | module | what it measures |
//! |---|---|
//! | [`serving`] | images to vectors over HTTP: the server, Python servers, and what the machine could do at most |
//! | [`images`] | JPEG bytes to a vector on one core: ours, Pillow and OpenCV |
//! | [`search`] | a search in a gallery over HTTP, its memory, and that it finds what there is to find |
//!
//! The servers run in processes of their own. The load comes from this process, whose share of the processors is part of every
//! report.

mod arrivals;
mod connection;
mod hardware;
mod ideal;
pub mod images;
mod latency;
mod limit;
mod load;
mod overhead;
mod peer;
pub(crate) mod photograph;
mod plot;
pub(crate) mod pooling;
mod process;
pub mod search;
mod selfie;
pub mod serving;

pub use hardware::Hardware;
pub use latency::Summary;
pub use limit::{Order, Way};
pub use overhead::Overhead;
