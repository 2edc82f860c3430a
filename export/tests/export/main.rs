//! Tests of the compiler against Burn and the runtimes that are present.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod computed;
mod coverage;
mod custom;
mod data_set;
mod errors;
mod external;
mod files;
mod foreign;
mod images;
mod indexing;
mod integers;
mod layers;
mod networks;
mod numbers;
mod operations;
mod passes;
mod precision;
mod properties;
mod recurrent;
mod reference;
mod sizes;
mod support;
#[path = "../networks/weights.rs"]
mod weights;
