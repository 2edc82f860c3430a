//! What reads bytes from strangers, each callable without a connection or a file: the entry points of the fuzz targets. None may
//! panic, hang, or take much memory, whatever the bytes are; errors are what they are for.

use crate::engine::Served;
use crate::http::infer::{Asked, cut};
use crate::http::tensor::Elements;
use crate::model_file::{self, ModelFile};
use crate::preprocess;
use crate::{Error, foreign};
use actix_web::web::Bytes;
use std::path::Path;

/// Most pixels of an image here, so that a case takes no longer than some milliseconds.
const MAX_PIXELS: u64 = 1 << 20;

/// The body of an inference request. The first two bytes are the length of the JSON in front of the tensors, little-endian;
/// the largest stands for none, which is JSON alone.
///
/// # Errors
/// What the client would be told.
pub fn infer_request(served: &Served, data: &[u8]) -> Result<(), Error> {
    let (length, body) = data.split_first_chunk::<2>().unwrap_or((&[0, 0], data));
    let length = Some(u16::from_le_bytes(*length)).filter(|length| *length != u16::MAX).map(usize::from);
    Asked::of(served, cut(length, false, Bytes::copy_from_slice(body))?).map(drop)
}

/// The elements of a tensor in JSON.
///
/// # Errors
/// What the client would be told.
pub fn json_tensor(data: &[u8]) -> Result<(), Error> {
    serde_json::from_slice::<Elements>(data).map(drop).map_err(|error| Error::invalid("", error.to_string()))
}

/// An encoded image.
///
/// # Errors
/// What the client would be told.
pub fn image(data: &[u8]) -> Result<(), Error> {
    preprocess::decode(data, MAX_PIXELS).map(drop)
}

/// An ONNX file with its card, or one that would get a card.
///
/// # Errors
/// Why it would be refused.
pub fn model_file(data: &[u8]) -> Result<(), Error> {
    let path = Path::new("fuzz.onnx");
    if let Some(graph) = model_file::decode(path, data)?.graph {
        // Most files are none that gets a card.
        let _ = (foreign::graph::image(&graph), foreign::outputs::roles(&graph, None));
    }
    ModelFile::of(path, data).map(drop)
}
