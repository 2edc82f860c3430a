//! The one input of a request: a tensor whose elements stand in JSON or in the bytes behind it.

use crate::Error;
use crate::http::tensor::Elements;
use crate::http::{data_uri, null};
use crate::protocol::{self, Data};
use actix_web::web::Bytes;
use serde::Deserialize;

/// A tensor as the JSON of a request describes it.
#[derive(Deserialize)]
#[serde(expecting = "a tensor: an object with name, shape and datatype")]
pub struct Input {
    name: String,
    shape: Vec<i64>,
    datatype: String,
    #[serde(default, deserialize_with = "null::or_default")]
    parameters: Parameters,
    data: Option<Elements>,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object of parameters")]
struct Parameters {
    /// Length of the tensor behind the JSON.
    binary_data_size: Option<usize>,
}

impl Input {
    /// The tensor with its elements, from the JSON or from `raw`, the bytes behind it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the elements are in neither or in both, [`Error::TooManyItems`] for more than `limit` images,
    /// [`Error::Image`] for BYTES that are no base64.
    pub fn with(self, raw: Bytes, limit: usize) -> Result<protocol::Input, Error> {
        let data = match (self.data, self.parameters.binary_data_size) {
            (Some(_), Some(_)) => return wrong("the tensor has both data and binary_data_size".into()),
            (None, None) => return wrong("the tensor has neither data nor binary_data_size".into()),
            (Some(_), None) if !raw.is_empty() => {
                return wrong(format!("{} bytes follow the JSON, but no tensor has a binary_data_size", raw.len()));
            }
            (Some(elements), None) if self.datatype == "BYTES" => Data::Images(base64_images(&elements.texts, limit)?),
            (Some(elements), None) => Data::Numbers(elements.numbers),
            (None, Some(size)) if size != raw.len() => {
                return wrong(format!("binary_data_size is {size}, {} bytes follow the JSON", raw.len()));
            }
            (None, Some(_)) => Data::Raw(raw),
        };
        Ok(protocol::Input { name: self.name, shape: self.shape, datatype: self.datatype, data })
    }
}

fn base64_images(texts: &[String], limit: usize) -> Result<Vec<Bytes>, Error> {
    if texts.len() > limit {
        return Err(Error::TooManyItems { found: texts.len(), limit });
    }
    let decode = |(index, text): (usize, &String)| data_uri::decode(text).map_err(|error| error.at_item(index));
    texts.iter().enumerate().map(decode).collect()
}

fn wrong<T>(reason: String) -> Result<T, Error> {
    Err(Error::invalid("inputs", reason))
}
