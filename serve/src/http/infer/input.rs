//! The one input of a request: from numbers in JSON or raw bytes to items, from BYTES to encoded images.

use crate::Error;
use crate::engine::Served;
use crate::http::data_uri;
use crate::http::tensor::Elements;
use crate::http::v2_model::datatype;
use crate::preprocess::{Pixels, probe};
use actix_web::web::Bytes;
use selfie_models::card::InputDtype;
use serde::Deserialize;

/// A tensor as a request describes it.
#[derive(Deserialize)]
pub struct Input {
    name: String,
    shape: Vec<i64>,
    datatype: String,
    #[serde(default)]
    parameters: Parameters,
    data: Option<Elements>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    /// Length of the tensor behind the JSON.
    binary_data_size: Option<usize>,
}

/// What the model is asked about.
pub enum Tensor {
    /// Encoded images.
    Images(Vec<Bytes>),
    /// Items that the client has prepared.
    Items(Vec<Pixels>),
}

/// The elements of a tensor.
enum Data {
    Json(Elements),
    Raw(Bytes),
}

/// The one tensor of a request, whose elements stand in JSON or in `raw`, the bytes behind the JSON.
///
/// # Errors
/// [`Error::Invalid`] for a tensor that the model does not take, [`Error::Image`] for BYTES that hold no image.
pub fn tensor(served: &Served, inputs: Vec<Input>, raw: Bytes) -> Result<Tensor, Error> {
    let expected = &served.model.card().input;
    let Ok([mut input]) = <[Input; 1]>::try_from(inputs) else {
        return wrong(format!("inputs must hold exactly one tensor, \"{}\"", expected.name));
    };
    if input.name != expected.name {
        return wrong(format!("input \"{}\" is unknown; the model takes \"{}\"", input.name, expected.name));
    }
    let data = input.data(raw)?;
    match (input.datatype.as_str(), data) {
        ("BYTES", Data::Json(elements)) => Ok(Tensor::Images(input.base64_images(&elements.texts)?)),
        ("BYTES", Data::Raw(raw)) => Ok(Tensor::Images(input.raw_images(raw)?)),
        (found, _) if found != datatype(expected.dtype) => {
            let dtype = datatype(expected.dtype);
            wrong(format!("datatype is {found}; the model takes {dtype}, or BYTES with images"))
        }
        (_, data) => {
            let batch = input.batch(served)?;
            Ok(Tensor::Items(match data {
                Data::Json(elements) => input.items(served, batch, &elements.numbers)?,
                Data::Raw(raw) => raw_items(served, batch, &raw)?,
            }))
        }
    }
}

/// The tensor of a request without JSON: a batch of one in the model's own type, or one encoded image.
///
/// # Errors
/// [`Error::Invalid`] when it is neither.
pub fn raw(served: &Served, tensor: Bytes, is_image: bool) -> Result<Tensor, Error> {
    let expected = item_bytes(served);
    if is_image || (tensor.len() != expected && probe(&tensor).is_ok()) {
        return Ok(Tensor::Images(vec![tensor]));
    }
    if tensor.len() != expected {
        return wrong(format!(
            "the body holds {} bytes and no image that is read here; the model takes {expected} bytes of {}",
            tensor.len(),
            datatype(served.model.card().input.dtype)
        ));
    }
    Ok(Tensor::Items(raw_items(served, 1, &tensor)?))
}

impl Input {
    fn data(&mut self, raw: Bytes) -> Result<Data, Error> {
        match (self.data.take(), self.parameters.binary_data_size) {
            (Some(_), Some(_)) => wrong("the tensor has both data and binary_data_size".into()),
            (None, None) => wrong("the tensor has neither data nor binary_data_size".into()),
            (Some(_), None) if !raw.is_empty() => {
                wrong(format!("{} bytes follow the JSON, but no tensor has a binary_data_size", raw.len()))
            }
            (Some(elements), None) => Ok(Data::Json(elements)),
            (None, Some(size)) if size != raw.len() => {
                wrong(format!("binary_data_size is {size}, {} bytes follow the JSON", raw.len()))
            }
            (None, Some(_)) => Ok(Data::Raw(raw)),
        }
    }

    /// Whether the shape is that of `count` elements: `[count]`, or `[count, 1]` as clients write it that know a batch.
    fn holds(&self, count: usize) -> bool {
        let count = count as i64;
        self.shape == [count] || self.shape == [count, 1]
    }

    fn base64_images(&self, texts: &[String]) -> Result<Vec<Bytes>, Error> {
        if texts.is_empty() || !self.holds(texts.len()) {
            return wrong(format!("shape is {:?}, data holds {} base64 strings", self.shape, texts.len()));
        }
        let decode = |(index, text): (usize, &String)| data_uri::decode(text).map_err(|error| error.at_item(index));
        texts.iter().enumerate().map(decode).collect()
    }

    /// Each element is its length, 4 bytes little-endian, and its bytes.
    fn raw_images(&self, mut raw: Bytes) -> Result<Vec<Bytes>, Error> {
        let mut images = Vec::new();
        while !raw.is_empty() {
            let Some(length) = raw.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize) else {
                return wrong(format!("{} bytes are left after element {}", raw.len(), images.len()));
            };
            let _ = raw.split_to(4);
            if length > raw.len() {
                return wrong(format!("element {} has {length} bytes, {} are left", images.len(), raw.len()));
            }
            images.push(raw.split_to(length));
        }
        if images.is_empty() || !self.holds(images.len()) {
            return wrong(format!("shape is {:?}, the tensor holds {} elements", self.shape, images.len()));
        }
        Ok(images)
    }

    /// The batch size, when the shape is the model's.
    fn batch(&self, served: &Served) -> Result<usize, Error> {
        let batch = self.shape.first().and_then(|side| usize::try_from(*side).ok()).unwrap_or(0);
        let [_, sides @ ..] = served.model.card().input.shape(batch);
        let fits = |(found, expected): (&i64, &usize)| usize::try_from(*found) == Ok(*expected);
        if batch == 0 || self.shape.len() != 4 || !self.shape[1..].iter().zip(&sides).all(fits) {
            let [a, b, c] = sides;
            return wrong(format!("shape is {:?}; the model takes [batch, {a}, {b}, {c}]", self.shape));
        }
        Ok(batch)
    }

    fn items(&self, served: &Served, batch: usize, numbers: &[f64]) -> Result<Vec<Pixels>, Error> {
        let item_len = served.model.preprocessor.item_len();
        if Some(numbers.len()) != batch.checked_mul(item_len) {
            let found = numbers.len();
            return wrong(format!("data holds {found} numbers, shape {:?} wants {batch} x {item_len}", self.shape));
        }
        let items = numbers.chunks_exact(item_len);
        match served.model.preprocessor.dtype() {
            InputDtype::F32 => {
                let item = |item: &[f64]| Pixels::F32(item.iter().map(|value| *value as f32).collect());
                Ok(items.map(item).collect())
            }
            InputDtype::U8 => {
                let is_byte = |value: &f64| value.fract() == 0.0 && (0.0..=255.0).contains(value);
                if let Some(value) = numbers.iter().find(|value| !is_byte(value)) {
                    return wrong(format!("data holds {value}; UINT8 takes whole numbers from 0 to 255"));
                }
                let item = |item: &[f64]| Pixels::U8(item.iter().map(|value| *value as u8).collect());
                Ok(items.map(item).collect())
            }
        }
    }
}

fn raw_items(served: &Served, batch: usize, raw: &[u8]) -> Result<Vec<Pixels>, Error> {
    let item_bytes = item_bytes(served);
    if Some(raw.len()) != batch.checked_mul(item_bytes) {
        return wrong(format!("the tensor has {} bytes, its shape wants {batch} x {item_bytes}", raw.len()));
    }
    let item = |item: &[u8]| match served.model.preprocessor.dtype() {
        InputDtype::F32 => {
            Pixels::F32(item.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        }
        InputDtype::U8 => Pixels::U8(item.to_vec()),
    };
    Ok(raw.chunks_exact(item_bytes).map(item).collect())
}

/// Length of a raw item.
fn item_bytes(served: &Served) -> usize {
    let size = match served.model.preprocessor.dtype() {
        InputDtype::F32 => size_of::<f32>(),
        InputDtype::U8 => size_of::<u8>(),
    };
    served.model.preprocessor.item_len() * size
}

fn wrong<T>(reason: String) -> Result<T, Error> {
    Err(Error::invalid("inputs", reason))
}
