//! What a server would do with its options, found out by doing it without an address: every model is loaded, proven, and run at
//! its largest batch.

use crate::config::threads;
use crate::engine::{Engine, Served, State};
use crate::gallery::Galleries;
use crate::metrics::Metrics;
use crate::opened::Opened;
use crate::preprocess::Pixels;
use crate::runtime::Choice;
use crate::trace::Tracer;
use crate::{Config, Error, usage};
use selfie_models::card::InputDtype;

/// What a server would do.
#[derive(Debug)]
pub struct Plan {
    /// Threads of the decoders and of HTTP.
    pub threads: [(&'static str, usize); 2],
    /// Every model of the store.
    pub models: Vec<Planned>,
    /// Name and number of vectors of each gallery.
    pub galleries: Vec<(String, usize)>,
    /// Memory of the process, where the system says it.
    pub memory: Option<Memory>,
}

/// One model of the store.
#[derive(Debug)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// The version that would serve, or be refused.
    pub version: u64,
    /// How it would serve, or why it would be refused.
    pub outcome: Result<Proven, String>,
}

/// How a model would serve.
#[derive(Debug)]
pub struct Proven {
    /// Length of its file in bytes, with the weights beside it.
    pub file_bytes: u64,
    /// The largest batch that the runtime gets.
    pub max_batch_size: usize,
    /// Batches that it runs at once.
    pub at_once: usize,
    /// Number of golden samples that held.
    pub golden: usize,
    /// The runtime and device, and why.
    pub choice: Choice,
}

/// Memory of the process in kB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// With every model loaded, at rest.
    pub loaded_kb: u64,
    /// The most that it has had, with every model at its largest batch.
    pub peak_kb: u64,
}

impl Plan {
    /// Loads everything and runs every model.
    ///
    /// # Errors
    /// What a start would fail with, but for its addresses: an option is wrong, a file that one names cannot be used, the store cannot be
    /// read, a gallery is refused, or no model can be served.
    pub fn of(config: &Config) -> Result<Self, Error> {
        Opened::of(config)?;
        let metrics = Metrics::new()?;
        let engine = Engine::open(config, &metrics)?;
        let galleries = Galleries::open(config, &engine)?;
        drop(Tracer::open(config, &metrics)?);
        let loaded_bytes = usage::memory_bytes(std::process::id());
        let mut models = Vec::new();
        for (name, slot) in engine.slots() {
            for served in slot.serving.iter().flat_map(|serving| serving.versions()) {
                largest_batch(served)?;
                let (version, outcome) = (served.version, Ok(Proven::of(served)));
                models.push(Planned { name: name.clone(), version, outcome });
            }
            for (version, state) in slot.aside {
                if let State::Refused(reason) = state {
                    models.push(Planned { name: name.clone(), version, outcome: Err(reason) });
                }
            }
        }
        let bytes = loaded_bytes.zip(usage::peak_memory_bytes(std::process::id()));
        let memory = bytes.map(|(loaded, peak)| Memory { loaded_kb: loaded / 1024, peak_kb: peak / 1024 });
        Ok(Self {
            threads: [("decoding", threads(config.decode_threads)), ("http", crate::server::http_threads(config))],
            models,
            galleries: galleries.iter().map(|gallery| (gallery.name.clone(), gallery.len())).collect(),
            memory,
        })
    }
}

impl Proven {
    fn of(served: &Served) -> Self {
        Self {
            file_bytes: served.model.file.bytes(),
            max_batch_size: served.max_batch_size(),
            at_once: served.model.at_once(),
            golden: served.model.proofs.len(),
            choice: served.model.choice.clone(),
        }
    }
}

/// Runs the model once at its largest batch.
fn largest_batch(served: &Served) -> Result<(), Error> {
    let preprocessor = &served.model.preprocessor;
    let item = match preprocessor.dtype() {
        InputDtype::F32 => Pixels::F32(vec![0.0; preprocessor.item_len()]),
        InputDtype::U8 => Pixels::U8(vec![0; preprocessor.item_len()]),
    };
    let ran = served.model.run_items(&vec![item; served.max_batch_size()]);
    ran.map(drop).map_err(|reason| {
        let reason = format!("a batch of {} fails: {reason}; lower max_batch_size", served.max_batch_size());
        Error::Backend { model: served.name.clone(), reason }
    })
}
