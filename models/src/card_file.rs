//! The card of a model file: in its metadata, or in a file beside it.

use crate::Error;
use crate::card::{CARD_KEY, Card};
use crate::digest::DIGEST_KEY;
use std::path::{Path, PathBuf};

/// Name of the card beside a foreign model.
pub const CARD_FILE: &str = "card.json";

/// A card as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file that holds it: the model file itself, or [`CARD_FILE`] beside it.
    pub origin: PathBuf,
    /// The card as JSON, not checked yet.
    pub text: String,
}

/// Finds the card of the model file at `path`, whose metadata `entry` looks up: [`CARD_FILE`] beside it, else the entry
/// [`CARD_KEY`]; `None` where there is neither.
///
/// # Errors
/// [`Error::Io`] when the file beside it cannot be read; [`Error::OtherCard`] when that holds another card than the model
/// file, whose digest covers its own.
pub fn find<'a>(path: &Path, entry: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Found>, Error> {
    let inside = entry(CARD_KEY);
    let beside = path.with_file_name(CARD_FILE);
    if !beside.is_file() {
        return Ok(inside.map(|text| Found { origin: path.to_owned(), text: text.to_owned() }));
    }
    let text = match std::fs::read_to_string(&beside) {
        Ok(text) => text,
        Err(source) => return Err(Error::Io { action: "cannot read", path: beside, source }),
    };
    match inside {
        Some(inside) if entry(DIGEST_KEY).is_some() && !equal(inside, &text) => Err(Error::OtherCard { path: beside }),
        _ => Ok(Some(Found { origin: beside, text })),
    }
}

/// Whether two texts say the same, however they are written.
fn equal(a: &str, b: &str) -> bool {
    a == b || matches!((Card::from_json(a), Card::from_json(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A card as small as one can be, with this name.
    fn card(name: &str) -> String {
        let input = r#"{"name": "x", "dtype": "f32", "layout": "NCHW", "channels": 1, "height": 8, "width": 8}"#;
        let steps = r#"{"do_resize": false, "size": {"height": 8, "width": 8}, "resample": 2, "rescale_factor": 1.0,
            "image_mean": [0.0], "image_std": [1.0]}"#;
        format!(
            r#"{{"card_version": 1, "name": "{name}", "task": "image-feature-extraction", "input": {input},
            "outputs": {{"embedding": {{"name": "y", "width": 4}}}}, "preprocessing": {steps}}}"#
        )
    }

    #[test]
    fn the_card_beside_wins_unless_a_digest_covers_another() {
        let (own, other) = (card("own"), card("other"));
        let respaced = own.replace(": ", ":");
        let (own, other, respaced) = (own.as_str(), other.as_str(), respaced.as_str());
        assert!(Card::from_json(own).is_ok() && respaced != own);
        // Card and digest in the file, card beside it, what is found.
        type Case<'a> = (Option<&'a str>, bool, Option<&'a str>, Result<Option<&'a str>, ()>);
        let cases: [Case; 9] = [
            (None, false, None, Ok(None)),
            (Some(own), true, None, Ok(Some(own))),
            (None, false, Some(other), Ok(Some(other))),
            (None, true, Some(other), Ok(Some(other))),
            (Some(own), false, Some(other), Ok(Some(other))),
            (Some(own), true, Some(own), Ok(Some(own))),
            (Some(own), true, Some(respaced), Ok(Some(respaced))),
            (Some(own), true, Some(other), Err(())),
            (Some(own), true, Some("{"), Err(())),
        ];
        for (index, (inside, digest, beside, expected)) in cases.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let model = folder.path().join("model.onnx");
            if let Some(text) = beside {
                std::fs::write(folder.path().join(CARD_FILE), text).unwrap();
            }
            let entry = |key: &str| match key {
                CARD_KEY => inside,
                DIGEST_KEY => digest.then_some("0123"),
                _ => None,
            };
            let found = find(&model, entry);
            match (&found, expected) {
                (Ok(found), Ok(text)) => {
                    let origin = if beside.is_some() { CARD_FILE } else { "model.onnx" };
                    assert_eq!(found.as_ref().map(|found| found.text.as_str()), text, "case {index}");
                    assert!(found.iter().all(|found| found.origin.ends_with(origin)), "case {index}: {found:?}");
                }
                (Err(Error::OtherCard { path }), Err(())) => assert!(path.ends_with(CARD_FILE), "case {index}"),
                _ => panic!("case {index}: {found:?}"),
            }
        }
    }
}
