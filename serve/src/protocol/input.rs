//! The one input of a request: from numbers or raw bytes to items, from BYTES to encoded images.

use super::metadata::datatype;
use crate::Error;
use crate::batch::Terms;
use crate::engine::{Answers, Served};
use crate::preprocess::{Pixels, probe};
use actix_web::web::Bytes;
use selfie_models::card::InputDtype;

/// A tensor as a request describes it.
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<i64>,
    /// Its type, in the protocol's words.
    pub datatype: String,
    /// Its elements.
    pub data: Data,
}

/// The elements of a tensor.
pub enum Data {
    /// Numbers in row-major order.
    Numbers(Vec<f64>),
    /// Encoded images.
    Images(Vec<Bytes>),
    /// Little-endian, packed; each element of BYTES after its length, 4 bytes.
    Raw(Bytes),
}

/// What the model is asked about.
pub enum Tensor {
    /// Encoded images.
    Images(Vec<Bytes>),
    /// Items that the client has prepared.
    Items(Vec<Pixels>),
}

/// The one input of a request.
///
/// # Errors
/// [`Error::Invalid`] when there is another number of them.
pub fn only<T>(served: &Served, inputs: Vec<T>) -> Result<T, Error> {
    let expected = &served.model.card().input;
    let Ok([input]) = <[T; 1]>::try_from(inputs) else {
        return wrong(format!("inputs must hold exactly one tensor, \"{}\"", expected.name));
    };
    Ok(input)
}

impl Tensor {
    /// A request without a description: a batch of one in the model's own type, or one encoded image.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is neither.
    pub fn raw(served: &Served, tensor: Bytes, is_image: bool) -> Result<Self, Error> {
        let expected = item_bytes(served);
        if is_image || (tensor.len() != expected && probe(&tensor).is_ok()) {
            return Ok(Self::Images(vec![tensor]));
        }
        if tensor.len() != expected {
            return wrong(format!(
                "the body holds {} bytes and no image that is read here; the model takes {expected} bytes of {}",
                tensor.len(),
                datatype(served.model.card().input.dtype)
            ));
        }
        Ok(Self::Items(raw_items(served, 1, &tensor)?))
    }

    /// Asks the model.
    ///
    /// # Errors
    /// Those of [`Served::images`] and [`Served::items`].
    pub async fn run(self, served: &Served, terms: Terms) -> Result<Answers, Error> {
        match self {
            Self::Images(images) => served.images(images, terms).await,
            Self::Items(items) => served.items(items, terms).await,
        }
    }
}

impl Input {
    /// What the model is asked about.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a tensor that the model does not take, [`Error::TooManyItems`] for more images than it may hold.
    pub fn tensor(self, served: &Served) -> Result<Tensor, Error> {
        let Self { name, shape, datatype: found, data } = self;
        let expected = &served.model.card().input;
        if name != expected.name {
            return wrong(format!("input \"{name}\" is unknown; the model takes \"{}\"", expected.name));
        }
        match (found.as_str(), data) {
            ("BYTES", Data::Images(images)) => Ok(Tensor::Images(as_shaped(&shape, images)?)),
            ("BYTES", Data::Raw(raw)) => {
                Ok(Tensor::Images(as_shaped(&shape, elements(raw, served.max_request_items)?)?))
            }
            ("BYTES", Data::Numbers(_)) => wrong("datatype is BYTES, the data are numbers".into()),
            (found, _) if found != datatype(expected.dtype) => {
                let dtype = datatype(expected.dtype);
                wrong(format!("datatype is {found}; the model takes {dtype}, or BYTES with images"))
            }
            (found, Data::Images(_)) => wrong(format!("datatype is {found}, the data are bytes")),
            (_, Data::Numbers(numbers)) => Ok(Tensor::Items(items(served, &shape, &numbers)?)),
            (_, Data::Raw(raw)) => Ok(Tensor::Items(raw_items(served, batch(served, &shape)?, &raw)?)),
        }
    }
}

/// The images, if the shape is that of as many elements: `[count]`, or `[count, 1]` as clients write it that know a batch.
fn as_shaped(shape: &[i64], images: Vec<Bytes>) -> Result<Vec<Bytes>, Error> {
    let count = images.len() as i64;
    if count == 0 || (shape != [count] && shape != [count, 1]) {
        return wrong(format!("shape is {shape:?}, the tensor holds {count} elements"));
    }
    Ok(images)
}

/// The batch size, when the shape is the model's.
fn batch(served: &Served, shape: &[i64]) -> Result<usize, Error> {
    let batch = shape.first().and_then(|side| usize::try_from(*side).ok()).unwrap_or(0);
    let [_, sides @ ..] = served.model.card().input.shape(batch);
    let fits = |(found, expected): (&i64, &usize)| usize::try_from(*found) == Ok(*expected);
    if batch == 0 || shape.len() != 4 || !shape[1..].iter().zip(&sides).all(fits) {
        let [a, b, c] = sides;
        return wrong(format!("shape is {shape:?}; the model takes [batch, {a}, {b}, {c}]"));
    }
    Ok(batch)
}

fn items(served: &Served, shape: &[i64], numbers: &[f64]) -> Result<Vec<Pixels>, Error> {
    let batch = batch(served, shape)?;
    let item_len = served.model.preprocessor.item_len();
    if Some(numbers.len()) != batch.checked_mul(item_len) {
        let found = numbers.len();
        return wrong(format!("data holds {found} numbers, shape {shape:?} wants {batch} x {item_len}"));
    }
    let items = numbers.chunks_exact(item_len);
    match served.model.preprocessor.dtype() {
        InputDtype::F32 => items.map(|item| floats(item.iter().map(|value| *value as f32))).collect(),
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

/// Cuts raw BYTES: each element is its length, 4 bytes little-endian, and its bytes.
/// More than `limit` are counted and not kept.
fn elements(mut raw: Bytes, limit: usize) -> Result<Vec<Bytes>, Error> {
    let mut elements = Vec::new();
    let mut found = 0;
    while !raw.is_empty() {
        let Some(length) = raw.first_chunk::<4>().map(|length| u32::from_le_bytes(*length) as usize) else {
            return wrong(format!("{} bytes are left after element {found}", raw.len()));
        };
        let _ = raw.split_to(4);
        if length > raw.len() {
            return wrong(format!("element {found} has {length} bytes, {} are left", raw.len()));
        }
        let element = raw.split_to(length);
        found += 1;
        if found <= limit {
            elements.push(element);
        }
    }
    if found > limit {
        return Err(Error::TooManyItems { found, limit });
    }
    Ok(elements)
}

fn raw_items(served: &Served, batch: usize, raw: &[u8]) -> Result<Vec<Pixels>, Error> {
    let item_bytes = item_bytes(served);
    if Some(raw.len()) != batch.checked_mul(item_bytes) {
        return wrong(format!("the tensor has {} bytes, its shape wants {batch} x {item_bytes}", raw.len()));
    }
    let item = |item: &[u8]| match served.model.preprocessor.dtype() {
        InputDtype::F32 => floats(item.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes))),
        InputDtype::U8 => Ok(Pixels::U8(item.to_vec())),
    };
    raw.chunks_exact(item_bytes).map(item).collect()
}

/// An item of finite numbers. Of any other the model would give none that is finite, and seem to have failed itself.
fn floats(values: impl Iterator<Item = f32>) -> Result<Pixels, Error> {
    let values: Vec<f32> = values.collect();
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => wrong(format!("the tensor holds {value}; FP32 takes finite numbers of 32 bits")),
        None => Ok(Pixels::F32(values)),
    }
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
