//! A server for tests that ask it without a network.

use super::{Access, App};
use crate::Config;
use crate::bench::pooling;
use crate::engine::Engine;
use crate::gallery::Galleries;
use crate::metrics::Metrics;
use std::path::Path;

impl App {
    /// A server with one model, [`pooling::NAME`], for which this folder is the store.
    pub(crate) fn example(store: &Path) -> Self {
        pooling::write(store, 4).unwrap();
        let config = Config { models: store.to_owned(), runtime: "tract".into(), ..Config::default() };
        let metrics = Metrics::new().unwrap();
        let engine = Engine::open(&config, &metrics).unwrap();
        let galleries = Galleries::open(&config, &engine).unwrap();
        let access = Access::open(&config).unwrap();
        Self::new(engine, galleries, metrics, config, access)
    }
}
