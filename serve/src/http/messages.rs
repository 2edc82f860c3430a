//! Images in chat messages: a conversation with one image stands for that image.
//!
//! # Source
//! vLLM's embeddings API: `"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": ".."}}]}]`, or
//! a list of such conversations.

use crate::Error;
use serde::Deserialize;

/// One conversation or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a list of messages, or a list of such lists")]
pub enum Messages {
    /// One.
    One(Vec<Message>),
    /// Several.
    Many(Vec<Vec<Message>>),
}

/// One message.
#[derive(Deserialize)]
pub struct Message {
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of parts")]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    ImageUrl { image_url: Url },
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or {\"url\": ..}")]
enum Url {
    Plain(String),
    Object { url: String },
}

impl Messages {
    /// The image of each conversation, as text.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a conversation that is not exactly one image.
    pub fn images(self) -> Result<Vec<String>, Error> {
        match self {
            Self::One(messages) => Ok(vec![image(messages, 0)?]),
            Self::Many(conversations) => {
                conversations.into_iter().enumerate().map(|(index, messages)| image(messages, index)).collect()
            }
        }
    }
}

fn image(messages: Vec<Message>, conversation: usize) -> Result<String, Error> {
    let wrong = |reason: &str| Error::invalid("messages", format!("conversation {conversation} {reason}"));
    let mut images = Vec::new();
    for message in messages {
        let parts = match message.content {
            Content::Text(text) => vec![Part::Text { text }],
            Content::Parts(parts) => parts,
        };
        for part in parts {
            match part {
                Part::Text { text } if text.trim().is_empty() => {}
                Part::Text { .. } => return Err(wrong("holds text; only images are embedded here")),
                Part::ImageUrl { image_url: Url::Plain(url) | Url::Object { url } } => images.push(url),
            }
        }
    }
    match images.len() {
        1 => Ok(images.remove(0)),
        0 => Err(wrong("holds no image")),
        count => Err(wrong(&format!("holds {count} images; send each in a conversation of its own"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(text: &str) -> Result<Vec<String>, String> {
        let messages: Messages = serde_json::from_str(text).map_err(|error| error.to_string())?;
        messages.images().map_err(|error| error.to_string())
    }

    #[test]
    fn a_conversation_is_one_image() {
        let message =
            |url: &str| format!(r#"{{"role": "user", "content": [{{"type": "image_url", "image_url": {url}}}]}}"#);
        let (object, plain) = (message(r#"{"url": "a", "detail": "low"}"#), message(r#""b""#));
        let empty = r#"{"role": "system", "content": ""}"#;
        let cases = [
            (format!("[{object}]"), vec!["a"]),
            (format!("[{empty}, {plain}]"), vec!["b"]),
            (format!("[[{object}], [{plain}]]"), vec!["a", "b"]),
        ];
        for (text, expected) in cases {
            assert_eq!(images(&text).unwrap(), expected, "{text}");
        }
        let cases = [
            (format!("[{object}, {plain}]"), "holds 2 images"),
            (format!("[[{object}], [{empty}]]"), "conversation 1 holds no image"),
            (r#"[{"role": "user", "content": "a car"}]"#.into(), "only images are embedded"),
            (r#"[{"role": "user", "content": [{"type": "input_audio"}]}]"#.into(), "list of messages"),
            (r#"[{"role": "user"}]"#.into(), "list of messages"),
        ];
        for (text, expected) in cases {
            let message = images(&text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
