//! A search in a gallery over HTTP: how long it takes, what memory it needs, and that it finds what there is to find.

mod gallery;

use super::connection::post;
use super::load::{self, Target};
use super::selfie::{self, Selfie};
use super::{Summary, pooling};
use crate::gallery::Gallery;
use crate::model::{OpenOptions, open};
use crate::{Error, runtime, usage};
use gallery::Query;
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Neighbours that are asked for.
const K: usize = 10;
const QUERIES: usize = 32;
/// Name of the gallery's model in the store of the server.
const SUBJECT: &str = "subject";
/// Side of the model that is served where none is needed.
const SIDE: usize = 8;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program whose `serve` is our server.
    pub program: PathBuf,
    /// The file to search in, or how large a one to make.
    pub gallery: Source,
    /// Runtime and device of the server.
    pub runtime: runtime::Options,
    /// How long to search.
    pub duration: Duration,
}

/// Where the vectors come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file that `selfie embed` wrote.
    File {
        /// The file.
        path: PathBuf,
        /// The model that made it, or a store with that model.
        model: PathBuf,
    },
    /// Random directions.
    Random {
        /// How many.
        vectors: usize,
        /// Numbers of each.
        width: usize,
    },
}

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Vectors of the gallery.
    pub vectors: usize,
    /// Numbers of a vector.
    pub width: usize,
    /// Neighbours that were asked for.
    pub k: usize,
    /// Times of the searches, one after the other over one connection.
    pub latency: Summary,
    /// Searches a second.
    pub per_second: f64,
    /// Searches that did not find exactly what brute force finds.
    pub failures: usize,
    /// The first of them.
    pub failure: Option<String>,
    /// Memory, where the system tells.
    pub memory: Option<Memory>,
}

/// Most memory that the server had in use, in bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// The file of vectors.
    pub file: u64,
    /// The server without a gallery.
    pub without: u64,
    /// The server with it, after all searches.
    pub with: u64,
}

impl Memory {
    /// What the gallery takes beyond its file.
    pub fn above_file(&self) -> i64 {
        self.with as i64 - self.without as i64 - self.file as i64
    }
}

/// Measures.
///
/// # Errors
/// The gallery cannot be read, or the server does not come up.
pub fn run(options: &Options) -> Result<Report, Error> {
    let failed = |error: std::io::Error| Error::bench("the gallery", error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    let store = folder.path().join("store");
    let path = match &options.gallery {
        Source::File { path, model } => {
            let open_options = OpenOptions { runtime: options.runtime.clone(), ..OpenOptions::default() };
            selfie::place(&open(model, &open_options)?.file.path, &store, SUBJECT)?;
            path.clone()
        }
        Source::Random { vectors, width } => {
            pooling::write(&store, SIDE)?;
            gallery::write(folder.path(), *vectors, *width).map_err(failed)?
        }
    };
    let file =
        std::fs::metadata(&path).map_err(|source| Error::Io { action: "read", path: path.clone(), source })?.len();
    let start = |flags: &[(&str, &std::ffi::OsStr)]| Selfie::start(&options.program, &store, &options.runtime, flags);
    let without = usage::peak_memory_bytes(start(&[])?.process.id());

    let vectors = Gallery::open(&path)?;
    let queries = gallery::queries(&vectors, QUERIES, K);
    let server = start(&[("--gallery", path.as_os_str())])?;
    let request = |query: &Query| {
        let body = json!({"vector": query.vector, "k": K}).to_string();
        post(server.address, "/v1/search", &[("content-type", "application/json")], body.as_bytes())
    };
    let requests = queries.iter().map(request).collect();
    let check = move |index: usize, body: &[u8]| queries[index].check(body);
    let target = Target { address: server.address, requests, check: Box::new(check) };
    let stretch = load::closed(&target, 1, options.duration);
    let with = usage::peak_memory_bytes(server.process.id());
    Ok(Report {
        vectors: vectors.len(),
        width: vectors.width(),
        k: K,
        latency: Summary::of(&stretch.times),
        per_second: stretch.per_second(),
        failures: stretch.failures,
        failure: stretch.failure,
        memory: without.zip(with).map(|(without, with)| Memory { file, without, with }),
    })
}
