//! Images in JSON: base64, plain or in a data URI.

use crate::Error;
use actix_web::web::Bytes;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of an image that is in a text itself.
///
/// # Errors
/// [`Error::Image`] for anything but base64.
///
/// # Source
/// RFC 2397: `data:[<media type>][;base64],<data>`. RFC 2045, section 6.8: lines. RFC 4648, section 5: `-` and `_` for `+` and `/`.
pub fn decode(text: &str) -> Result<Bytes, Error> {
    let text = text.trim();
    if is_url(text) {
        return Err(Error::image(
            "is a URL, and none is fetched here; send the image as base64 or as the request body",
        ));
    }
    let start = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    let data = if start.starts_with("data:") {
        match text[5..].split_once(',') {
            Some((kind, data)) if kind.to_ascii_lowercase().ends_with(";base64") => data,
            _ => return Err(Error::image("is a data URI without \";base64,\"")),
        }
    } else {
        text
    };
    // As it is first: most comes so, and it is long.
    let bytes = LENIENT.decode(data).or_else(|_| LENIENT.decode(usual(data)));
    bytes.map(Bytes::from).map_err(|error| Error::image(format!("is neither base64 nor a data URI: {error}")))
}

/// Whether the text is the URL of a place where something could be fetched.
pub fn is_url(text: &str) -> bool {
    let text = text.trim_start();
    text.get(..8).unwrap_or(text).contains("://")
}

/// Base64 in one line and in the usual alphabet.
fn usual(data: &str) -> String {
    let letter = |letter: char| match letter {
        '\r' | '\n' => None,
        '-' => Some('+'),
        '_' => Some('/'),
        other => Some(other),
    };
    data.trim().chars().filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_comes_plain_or_in_a_data_uri() {
        for text in
            ["aGk=", "aGk", " aGk= ", "data:image/png;base64,aGk=", "data:;base64,aGk", "DATA:image/png;BASE64,aGk="]
        {
            assert_eq!(decode(text).unwrap().as_ref(), b"hi", "{text:?}");
        }
        let bytes: Vec<u8> = (0..=255).collect();
        let base64 = LENIENT.encode(&bytes);
        let lines: Vec<&str> = base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let safe = base64.replace('+', "-").replace('/', "_");
        for text in [lines.join("\r\n"), lines.join("\n"), safe, format!("data:image/png;base64, {base64}")] {
            assert_eq!(decode(&text).unwrap(), bytes, "{text:?}");
        }
        for (text, expected) in [
            ("http://example.org/a.png", "is a URL"),
            ("HTTPS://example.org/a.png", "is a URL"),
            ("file:///etc/passwd", "is a URL"),
            ("s3://bucket/a.png", "is a URL"),
            ("data:image/png,hi", "without"),
            ("data:", "without"),
            ("é!", "is neither"),
            ("a red car", "is neither"),
        ] {
            let message = decode(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }
}
