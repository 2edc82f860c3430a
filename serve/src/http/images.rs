//! Requests that carry images, in every form in which clients send them.
//!
//! | content type | form |
//! |---|---|
//! | `application/json` | `{"model", "input": "..." or ["..."] or [{"image": ".."}], ..}`, images in base64 or data URIs; Hugging Face says `inputs`, and `[[".."]]` |
//! | `application/json` | `{"model", "messages": [..], ..}`, see [`super::messages`] |
//! | `multipart/form-data` | a field `model`, a file for each image, other fields as options |
//! | `image/*`, `application/octet-stream`, none | one image |
//!
//! The model and the options may stand in the query as well; those of the body win. Where the options name hosts to fetch from, an image
//! in JSON may be a URL.

use super::messages::Messages;
use super::{App, body, data_uri, multipart, terms};
use crate::Error;
use crate::batch::Terms;
use crate::engine::{Laps, Timing};
use crate::fetch::{AT_ONCE_EACH, Fetcher};
use crate::metrics::Stage;
use actix_web::web::{Bytes, Payload, Query};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const EXPECTED: &str = "application/json, multipart/form-data, image/* or application/octet-stream";

/// What stands in the query, or in the fields of a form that are no images.
pub type Fields = BTreeMap<String, String>;

/// A model, images, and the options of the route.
pub struct Form<O, I = Bytes> {
    /// Name of the model, if one was given.
    pub model: Option<String>,
    /// The encoded images.
    pub images: Vec<I>,
    /// Whether they came as a list, and not one by itself.
    pub is_list: bool,
    /// The options of the route.
    pub options: O,
    /// How long it took to come, and to be understood.
    pub timing: Timing,
    /// How long it may wait, and who goes first.
    pub terms: Terms,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with input or messages")]
struct Json<O> {
    model: Option<String>,
    #[serde(alias = "inputs")]
    input: Option<Input>,
    messages: Option<Messages>,
    #[serde(flatten)]
    options: O,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string, a list of strings, or a list of {\"image\": ..}")]
enum Input {
    // First: a list of one text may stand for an image only inside of a list.
    Many(Vec<Image>),
    One(Image),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Image {
    Text(String),
    Object { image: String },
    Alone([String; 1]),
}

impl Input {
    fn texts(self) -> Vec<String> {
        let images = match self {
            Self::One(image) => vec![image],
            Self::Many(images) => images,
        };
        let text = |image: Image| match image {
            Image::Text(text) | Image::Object { image: text } | Image::Alone([text]) => text,
        };
        images.into_iter().map(text).collect()
    }
}

/// Reads a request of `api`, which counts when that fails.
///
/// # Errors
/// [`Error::MediaType`], [`Error::BodyTooLarge`], or what is wrong with the form.
pub async fn read<O: DeserializeOwned>(
    app: &App,
    api: &'static str,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Form<O>, Error> {
    let form = read_any(app, api, request, payload).await?;
    let missing = || Error::invalid("input", "input is missing or holds no image");
    app.counted(api, if form.images.is_empty() { Err(missing()) } else { Ok(form) })
}

/// As [`read`], for a route that has something to do without an image as well.
///
/// # Errors
/// [`Error::MediaType`], [`Error::BodyTooLarge`], or what is wrong with the form.
pub async fn read_any<O: DeserializeOwned>(
    app: &App,
    api: &'static str,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Form<O>, Error> {
    let mut laps = Laps::start();
    let form = form(app, request, payload, &mut laps).await;
    // Where the request fails, its answer tells the time of these stages nevertheless.
    request.extensions_mut().insert(laps.timing);
    app.counted(api, form)
}

async fn form<O: DeserializeOwned>(
    app: &App,
    request: &HttpRequest,
    payload: Payload,
    laps: &mut Laps,
) -> Result<Form<O>, Error> {
    let mut fields = query(request)?;
    let form = match body::kind(request).as_str() {
        "application/json" => {
            let body = body::read(request, payload, &app.config).await?;
            laps.lap(Stage::Receive);
            let Form { model, images, is_list, options, timing, terms } =
                json(&body, fields, app.config.request_items())?;
            laps.lap(Stage::Parse);
            let fetcher = app.fetcher.as_ref().filter(|_| images.iter().any(|text| data_uri::is_url(text)));
            let images = bytes(fetcher, images).await?;
            laps.lap(if fetcher.is_some() { Stage::Fetch } else { Stage::Parse });
            Form { model, images, is_list, options, timing, terms }
        }
        "multipart/form-data" => {
            let (images, own) = multipart::read(request, payload, &app.config).await?;
            laps.lap(Stage::Receive);
            fields.extend(own);
            Form { is_list: true, ..from_text(images, fields)? }
        }
        // RFC 9110, section 8.3: what says nothing may be taken for bytes.
        kind if kind.starts_with("image/") || ["application/octet-stream", ""].contains(&kind) => {
            let image = body::read(request, payload, &app.config).await?;
            laps.lap(Stage::Receive);
            from_text(vec![image], fields)?
        }
        found => return Err(Error::MediaType { found: found.to_owned(), expected: EXPECTED }),
    };
    let terms = terms::terms(&app.config, request, None, None)?;
    Ok(Form { timing: laps.timing, terms, ..form })
}

fn query(request: &HttpRequest) -> Result<Fields, Error> {
    let query = Query::<Fields>::from_query(request.query_string());
    let query = query.map_err(|error| Error::invalid("", format!("the query cannot be read: {error}")))?;
    Ok(query.into_inner())
}

/// The bytes of images that are in texts themselves, or that these say where to fetch.
async fn bytes(fetcher: Option<&Fetcher>, texts: Vec<String>) -> Result<Vec<Bytes>, Error> {
    let texts = texts.into_iter().enumerate();
    let Some(fetcher) = fetcher else {
        return texts.map(|(index, text)| data_uri::decode(&text).map_err(|error| error.at_item(index))).collect();
    };
    let budget = &fetcher.budget();
    let one = |(index, text): (usize, String)| async move {
        let bytes = match data_uri::is_url(&text) {
            true => fetcher.fetch(text.trim(), budget).await,
            false => data_uri::decode(&text),
        };
        bytes.map_err(|error| error.at_item(index))
    };
    stream::iter(texts.map(one)).buffered(AT_ONCE_EACH).try_collect().await
}

/// What a body of JSON says, with what `query` adds; no more than `limit` images.
///
/// # Errors
/// [`Error::Invalid`] for what is wrong with it, [`Error::TooManyItems`].
pub fn json<O: DeserializeOwned>(body: &[u8], query: Fields, limit: usize) -> Result<Form<O, String>, Error> {
    let form: Json<O> = if query.is_empty() {
        body::json(body)?
    } else {
        let mut members: Map<String, Value> = body::json(body)?;
        for (name, text) in query {
            let value = if name == "model" { Value::String(text) } else { typed(text) };
            members.entry(name).or_insert(value);
        }
        serde_json::from_value(Value::Object(members))
            .map_err(|error| Error::invalid("", format!("the JSON body and the query are wrong: {error}")))?
    };
    let is_list = !matches!(form.input, Some(Input::One(_)));
    let texts = match (form.input, form.messages) {
        (Some(input), None) => input.texts(),
        (None, Some(messages)) => messages.images()?,
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => return Err(Error::invalid("input", "input and messages are both there; send one")),
    };
    if texts.len() > limit {
        return Err(Error::TooManyItems { found: texts.len(), limit });
    }
    let Json { model, options, .. } = form;
    Ok(Form { model, images: texts, is_list, options, timing: Timing::default(), terms: Terms::default() })
}

/// Images with options that came as text.
///
/// # Errors
/// [`Error::Invalid`] for an option that is wrong.
pub fn from_text<O: DeserializeOwned>(images: Vec<Bytes>, mut fields: Fields) -> Result<Form<O>, Error> {
    let model = fields.remove("model");
    let fields: Map<String, Value> = fields.into_iter().map(|(name, text)| (name, typed(text))).collect();
    let options = serde_json::from_value(Value::Object(fields))
        .map_err(|error| Error::invalid("", format!("an option is wrong: {error}")))?;
    Ok(Form { model, images, is_list: false, options, timing: Timing::default(), terms: Terms::default() })
}

/// An option that came as text: a number or a boolean where the text is one, else a string.
fn typed(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Options {
        dimensions: Option<usize>,
        format: Option<String>,
    }

    #[test]
    fn every_json_form_of_input_is_read() {
        let cases = [
            (r#"{"input": "aGk="}"#, 1),
            (r#"{"input": ["aGk=", "data:image/png;base64,aGk="]}"#, 2),
            (r#"{"input": [{"image": "aGk="}, {"image": "aGk=", "x": 1}, "aGk="]}"#, 3),
            (r#"{"input": {"image": "aGk="}, "unknown": [1]}"#, 1),
            (r#"{"inputs": [["aGk="], ["aGk="]]}"#, 2),
            (r#"{"input": []}"#, 0),
            (r#"{}"#, 0),
            (
                r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "aGk="}}]}]}"#,
                1,
            ),
        ];
        for (text, count) in cases {
            let form: Form<Options, String> = json(text.as_bytes(), Fields::new(), 9).unwrap();
            assert_eq!(form.images.len(), count, "{text}");
            assert!(form.images.iter().all(|image| data_uri::decode(image).unwrap().as_ref() == b"hi"), "{text}");
        }
    }

    #[test]
    fn a_wrong_json_form_says_what_is_wrong() {
        let cases = [
            (r#"{"input": "#, "EOF"),
            (r#"{"input": 3}"#, "list of strings"),
            (r#"{"input": "aGk=", "messages": []}"#, "both there"),
            (r#"{"messages": [{"role": "user", "content": "a car"}]}"#, "only images"),
            (r#"{"input": [{"text": "a car"}]}"#, "list of strings"),
            (r#"{"input": "aGk=", "dimensions": "many"}"#, "invalid type"),
            (r#"{"input": ["", "", ""]}"#, "3 items in one request; at most 2"),
            (&format!("{{\"vector\": [{}1]}}", "1,".repeat(1 << 22)), "more than 2097152 values"),
        ];
        for (text, expected) in cases {
            let message = json::<Options>(text.as_bytes(), Fields::new(), 2).err().unwrap().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    #[test]
    fn the_body_wins_over_the_query() {
        let query = |pairs: &[(&str, &str)]| -> Fields {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let body = br#"{"input": "aGk=", "dimensions": 2}"#;
        let form: Form<Options, String> =
            json(body, query(&[("dimensions", "3"), ("format", "float"), ("model", "7")]), 9).unwrap();
        assert_eq!(form.options, Options { dimensions: Some(2), format: Some("float".into()) });
        assert_eq!(form.model.as_deref(), Some("7"), "a name may look like a number");
        let message = json::<Options>(br#"{"input": "aGk="}"#, query(&[("dimensions", "x")]), 9).err().unwrap();
        assert!(message.to_string().contains("the query"), "{message}");
    }

    #[test]
    fn options_in_text_get_their_types() {
        let fields = [("model", "7"), ("dimensions", "3"), ("format", "float")];
        let fields = fields.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let form: Form<Options> = from_text(Vec::new(), fields).unwrap();
        assert_eq!(form.model.as_deref(), Some("7"));
        assert_eq!(form.options, Options { dimensions: Some(3), format: Some("float".into()) });
    }
}
