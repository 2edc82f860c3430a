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
//! | [`evaluate`] | accuracy, calibration, retrieval and nearest neighbours of a finished run |
//! | [`table`] | a whole table of results: every label fraction, row and seed, resumable |
//! | [`mod@bench`] | training steps beside PyTorch's, and what PyTorch needs to repeat them |
//! | [`report`] | the page about a run |
//! | [`run`] | the run folder and the files in it |
//!
//! What the trainings share, in the order in which a run needs it:
//!
//! | module | what it holds |
//! |---|---|
//! | `session`, `start` | from [`Options`] to an open run folder; what fine-tuning starts from |
//! | `seeds` | everything random as a function of seed, purpose and step |
//! | `engine` | the loop, its devices, and the end of a run |
//! | `loss`, `gradients`, `layers`, `parameters`, `optimiser` | what a step computes |
//! | `average`, `validation`, `best`, `course`, `reestimate` | what is kept and watched beside the weights |
//! | `checkpoint`, `signals` | how a run is stopped and goes on |
//! | `trial`, `forecast`, `learning_rates` | a few steps that leave nothing behind: `--dry-run`, `--find-lr` |

mod at_hand;
mod average;
pub mod bench;
mod best;
mod cards;
mod checkpoint;
mod course;
pub mod data;
mod digest;
mod engine;
mod error;
pub mod evaluate;
pub mod finetune;
mod forecast;
mod gradients;
mod layers;
mod learning_rates;
mod loss;
mod optimiser;
mod options;
mod parameters;
mod plot;
pub mod pretrain;
mod progress;
pub mod recipe;
mod reestimate;
pub mod report;
pub mod run;
mod running;
pub mod schedule;
mod seeds;
mod session;
mod signals;
mod sparkline;
mod start;
pub mod table;
mod tensorboard;
mod trial;
mod validation;

pub use error::Error;
pub use forecast::Forecast;
pub use learning_rates::LearningRates;
pub use options::{Options, Summary, by_stage};
pub use recipe::{Recipe, Stage};
