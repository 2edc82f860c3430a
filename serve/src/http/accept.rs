//! What form a client wants its vectors in: the `Accept` header.
//!
//! `application/json` is the usual answer. `application/octet-stream; dtype=f32|f16|int8|ubinary` asks for the bare numbers, see
//! [`super::vectors`].
//!
//! # Source
//! RFC 9110, section 12.5.1.

use super::vectors::Dtype;
use crate::Error;
use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

const EXPECTED: &str = "application/json, or application/octet-stream with dtype f32, f16, int8 or ubinary";

/// The form of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON.
    Json,
    /// Numbers of this type, one vector after the other.
    Bytes(Dtype),
}

/// The form that the client likes best; of equal ones the first.
///
/// # Errors
/// [`Error::NotAcceptable`] when it takes none that there is.
pub fn form(http: &HttpRequest) -> Result<Form, Error> {
    let header: Vec<&str> = http.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    best(&header.join(","))
}

fn best(header: &str) -> Result<Form, Error> {
    if header.trim().is_empty() {
        return Ok(Form::Json);
    }
    let mut best: Option<(Form, f32)> = None;
    for range in header.split(',') {
        if let Some((form, weight)) = read(range)
            && weight > best.map_or(0.0, |(_, weight)| weight)
        {
            best = Some((form, weight));
        }
    }
    best.map(|(form, _)| form).ok_or_else(|| Error::NotAcceptable { found: header.to_owned(), expected: EXPECTED })
}

/// A media range and its weight, or nothing for one that is not known here.
fn read(range: &str) -> Option<(Form, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?.to_ascii_lowercase();
    let (mut weight, mut dtype) = (1.0, "f32".to_owned());
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = value.trim().parse().ok()?,
            "dtype" => dtype = value.trim().trim_matches('"').to_ascii_lowercase(),
            _ => {}
        }
    }
    let form = match kind.as_str() {
        "application/json" | "application/*" | "*/*" => Form::Json,
        "application/octet-stream" => Form::Bytes(Dtype::from_name(&dtype)?),
        _ => return None,
    };
    Some((form, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_known_form_wins() {
        let cases = [
            ("", Some(Form::Json)),
            ("*/*", Some(Form::Json)),
            ("text/html, application/*;q=0.8", Some(Form::Json)),
            ("application/octet-stream", Some(Form::Bytes(Dtype::F32))),
            ("application/octet-stream; dtype=f16, */*", Some(Form::Bytes(Dtype::F16))),
            ("Application/JSON;q=0.5, application/octet-stream;DTYPE=\"int8\";q=0.9", Some(Form::Bytes(Dtype::Int8))),
            ("application/octet-stream;dtype=f64, application/json;q=0.1", Some(Form::Json)),
            ("application/octet-stream;dtype=f64", None),
            ("text/html", None),
            ("application/json;q=0", None),
        ];
        for (header, expected) in cases {
            assert_eq!(best(header).ok(), expected, "{header:?}");
        }
    }
}
