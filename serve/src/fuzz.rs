//! What reads bytes from strangers, each callable without a connection or a file: the entry points of the fuzz targets. None may
//! panic, hang, or take much memory, whatever the bytes are; errors are what they are for.

use crate::engine::Served;
use crate::http::images::{self, Fields, Form};
use crate::http::infer::{Asked, cut};
use crate::http::search::Options;
use crate::http::tensor::Elements;
use crate::http::{data_uri, multipart};
use crate::model_file::{self, ModelFile};
use crate::preprocess::{Preprocessor, Reading};
use crate::{Error, foreign};
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use selfie_models::card::{Input, ResizeTo, Size};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// Most pixels of an image here, so that a case takes no longer than some milliseconds.
const MAX_PIXELS: u64 = 1 << 20;
/// Most images of a request here.
const MAX_ITEMS: usize = 128;
/// Type of a form here.
const FORM: &str = "multipart/form-data; boundary=x";
/// Longer than a case may take, so that one that waits for ever is found.
const FOR_EVER: Duration = Duration::from_secs(60);

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

/// The body of a request with images in JSON, alone and with an option in the query. The options are those of a search, which has all
/// kinds of them.
///
/// # Errors
/// What the client would be told.
pub fn json_images(data: &[u8]) -> Result<(), Error> {
    let read = |query: Fields| {
        let form: Form<Options, String> = images::json(data, query, MAX_ITEMS)?;
        form.images.iter().try_for_each(|text| data_uri::decode(text).map(drop))
    };
    // Both of them, also when the first refuses it.
    let both = [Fields::new(), Fields::from([("k".to_owned(), "3".to_owned())])].map(read);
    both.into_iter().collect()
}

/// The body of a form with images and options as [`json_images`] has them, its boundary `x`.
///
/// # Errors
/// What the client would be told.
pub fn multipart_form(data: &[u8]) -> Result<(), Error> {
    let headers: HeaderMap = [(CONTENT_TYPE, HeaderValue::from_static(FORM))].into_iter().collect();
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| Error::Server { reason: format!("nothing runs a form: {error}") })?;
    let read = multipart::parse(&headers, Bytes::copy_from_slice(data));
    let read = runtime.block_on(async { timeout(FOR_EVER, read).await });
    let (images, fields) = read.map_err(|_| Error::Server { reason: "a form waits for more than it has".into() })??;
    images::from_text::<Options>(images, fields).map(drop)
}

/// The ways of an image: as the model has it, with a shorter side that gets a length, and to one pixel with JPEG files decoded at a
/// quarter of their sides.
pub fn preprocessors(served: &Served) -> [Preprocessor; 3] {
    let card = served.model.card();
    let mut other = card.clone();
    let Input { height, width, .. } = card.input;
    other.preprocessing.size = ResizeTo::ShortestEdge { shortest_edge: height.min(width) };
    other.preprocessing.crop_size = Some(Size { height, width });
    let mut pixel = card.clone();
    let size = Size { height: 1, width: 1 };
    (pixel.preprocessing.size, pixel.preprocessing.crop_size, pixel.preprocessing.pad_size) =
        (ResizeTo::Exact(size), None, None);
    (pixel.input.height, pixel.input.width) = (size.height, size.width);
    let reduced = Reading { max_pixels: MAX_PIXELS, reduced_jpeg: true };
    [Preprocessor::new(card, MAX_PIXELS), Preprocessor::new(&other, MAX_PIXELS), Preprocessor::new(&pixel, reduced)]
}

/// An encoded image, prepared in several ways.
///
/// # Errors
/// What the client would be told.
pub fn image(preprocessors: &[Preprocessor], data: &[u8]) -> Result<(), Error> {
    // All of them, also after one that refuses it.
    let prepared: Vec<_> = preprocessors.iter().map(|preprocessor| preprocessor.item(data).map(drop)).collect();
    prepared.into_iter().collect()
}

/// An ONNX file with its card, or one that would get a card.
///
/// # Errors
/// Why it would be refused.
pub fn model_file(data: &[u8]) -> Result<(), Error> {
    let path = Path::new("fuzz.onnx");
    let model = model_file::decode(path, data)?;
    if let Some(graph) = &model.graph {
        // Most files are none that gets a card.
        let _ = (foreign::graph::image(graph), foreign::outputs::roles(graph, None, None));
        let _ =
            [foreign::Pooling::Cls, foreign::Pooling::Mean].map(|pooling| foreign::pooled::add(data, &model, pooling));
    }
    ModelFile::of(path, data).map(drop)
}
