//! Data sets, recipes, pretraining, fine-tuning, checkpoints, evaluation and reports of Selfie.
//!
//! ```text
//! recipe + data ─▶ pretrain::run ─▶ run folder ─▶ finetune::run ─▶ run folder ─▶ evaluate::run
//! ```
//! | module | what it holds |
//! |---|---|
//! | [`data`] | data sets and the loader of training batches |
//! | [`recipe`] | everything that decides a run, as TOML with settings on top |
//! | [`pretrain`], [`finetune`] | the two trainings; the loop that they share is `engine` |
//! | [`schedule`] | the learning rate of a step |
//! | [`report`] | the page about a run |
//! | [`evaluate`] | accuracy and nearest neighbours of a finished run |
//! | [`mod@bench`] | training steps beside PyTorch's |
//! | [`run`] | the run folder and the files in it |

pub mod bench;
mod cards;
mod checkpoint;
pub mod data;
mod digest;
mod engine;
mod error;
pub mod evaluate;
pub mod finetune;
mod gradients;
mod optimiser;
mod options;
mod parameters;
mod plot;
pub mod pretrain;
mod progress;
pub mod recipe;
pub mod report;
pub mod run;
pub mod schedule;
mod seeds;
mod session;
mod sparkline;
mod tensorboard;

pub use cards::INPUT_NAME;
pub use error::Error;
pub use options::{Options, Summary};
pub use recipe::{Recipe, Stage};
