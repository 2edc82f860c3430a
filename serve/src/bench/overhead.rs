//! What a request costs beyond its work: one client, one request at a time, a model that costs next to nothing, and the same
//! work without a server in turn.

use super::connection::Connection;
use super::latency::median;
use super::selfie::Selfie;
use super::{photograph, pooling};
use crate::preprocess::Pixels;
use crate::{Error, Model};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Side of the model's input and of the image in pixels.
pub const SIDE: usize = 32;
/// Requests that do not count.
const WARM_UP: usize = 50;

/// Medians for both ways to ask.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Overhead {
    /// A JPEG of 32 x 32 pixels to `/v1/embeddings`, against decoding it and running the session.
    pub image: Compared,
    /// A tensor to `/v2/models/../infer`, against running the session.
    pub tensor: Compared,
}

/// Medians of a request and of the same work without a server.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Compared {
    /// The request, in milliseconds.
    pub request_ms: f64,
    /// The work, in milliseconds.
    pub work_ms: f64,
}

impl Compared {
    /// What the request costs beyond its work.
    pub fn overhead_ms(&self) -> f64 {
        self.request_ms - self.work_ms
    }
}

/// Asks `server`, which serves the pooling model, and runs `model`, which is the same one, in turn for `duration`.
///
/// # Errors
/// [`Error::Bench`] when the server answers wrong.
pub fn measure(server: &Selfie, model: &Model, duration: Duration) -> Result<Overhead, Error> {
    let side = SIDE as u32;
    let jpeg = photograph::photographs(1, side, side)?.remove(0);
    let item = model.preprocessor.item(&jpeg)?;
    let Pixels::F32(values) = &item else {
        return Err(Error::bench("the overhead", "the pooling model takes no floats"));
    };
    let tensor: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let requests = [server.request(pooling::NAME, &jpeg), server.tensor_request(pooling::NAME, &tensor)];
    let failed = |reason: String| Error::bench("the overhead", reason);
    let mut connection = Connection::open(server.address).map_err(failed)?;
    let mut times: [[Vec<f64>; 2]; 2] = Default::default();
    let start = Instant::now();
    let mut round = 0;
    // One round counts, however short the time is.
    while round <= WARM_UP + 1 || start.elapsed() < duration {
        for (index, request) in requests.iter().enumerate() {
            let (asked, _) = timed(|| connection.ask(request).map(drop).map_err(failed))?;
            let (worked, rows) = timed(|| {
                let decoded = if index == 0 { Some(model.preprocessor.item(&jpeg)?) } else { None };
                let items = std::slice::from_ref(decoded.as_ref().unwrap_or(&item));
                model.run_items(items).map_err(failed)
            })?;
            if round > WARM_UP && rows.len() == 1 {
                times[index][0].push(asked);
                times[index][1].push(worked);
            }
        }
        round += 1;
    }
    let [image, tensor] = times.map(|times| {
        let [request_ms, work_ms] = times.map(|times| median(&times) * 1e3);
        Compared { request_ms, work_ms }
    });
    Ok(Overhead { image, tensor })
}

/// The seconds that something took, and what it gave.
fn timed<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<(f64, T), Error> {
    let start = Instant::now();
    let found = work()?;
    Ok((start.elapsed().as_secs_f64(), found))
}
