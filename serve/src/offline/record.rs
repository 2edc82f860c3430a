//! What is known about one image when it has been looked at.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One image and what the model says about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Name of the image.
    pub id: String,
    /// Its class, if the input tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What the model says.
    pub answer: Answer,
    /// A small JPEG, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<Blob>,
}

/// What the model says about an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Its embedding: little-endian floats, so that no digit is lost on the way.
    Vector(Blob),
    /// The best classes, best first.
    Classes(Vec<Class>),
    /// Nothing, for this reason.
    Damaged(String),
}

/// A class and how likely it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Name of the class.
    pub class: String,
    /// Its place in the card's list.
    pub index: usize,
    /// How likely it is.
    pub probability: f32,
}

/// Bytes, in text as base64.
#[derive(Clone, Debug, PartialEq)]
pub struct Blob(pub Vec<u8>);

impl Blob {
    /// The bytes of numbers.
    pub fn of_floats(values: &[f32]) -> Self {
        Self(values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// The numbers in the bytes.
    pub fn floats(&self) -> Vec<f32> {
        self.0.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_text() {
        let class = Class { class: "ankle boot".into(), index: 9, probability: 0.1 + 0.2 };
        let vector = Blob::of_floats(&[f32::MIN_POSITIVE, -0.1, 3.0e38]);
        for answer in [Answer::Vector(vector), Answer::Classes(vec![class]), Answer::Damaged("is empty".into())] {
            let thumbnail = Some(Blob(vec![0, 255]));
            let record = Record { id: "a/b.png".into(), label: None, answer, thumbnail };
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        }
        assert_eq!(Blob::of_floats(&[1.5, -2.0]).floats(), [1.5, -2.0]);
    }
}
