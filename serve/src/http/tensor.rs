//! The numbers or texts of a tensor in JSON, flat or nested, read straight into one vector.

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::fmt;

/// Most texts of a tensor, which are images: far more than a request may hold, and few enough that empty ones, three bytes each
/// in JSON, take no memory to speak of.
const MAX_TEXTS: usize = 1 << 20;

/// The elements of a tensor in row-major order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Elements {
    /// The numbers, if the tensor holds numbers.
    pub numbers: Vec<f64>,
    /// The texts, if the tensor holds texts.
    pub texts: Vec<String>,
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut elements = Self::default();
        deserializer.deserialize_seq(Collect(&mut elements))?;
        if !elements.numbers.is_empty() && !elements.texts.is_empty() {
            return Err(D::Error::custom("data mixes numbers and strings"));
        }
        Ok(elements)
    }
}

/// Adds one element, or all elements of a list.
struct Collect<'a>(&'a mut Elements);

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers or strings, flat or in nested lists")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.0.numbers.push(value);
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<(), E> {
        if self.0.texts.len() == MAX_TEXTS {
            return Err(E::custom(format!("data holds more than {MAX_TEXTS} strings")));
        }
        self.0.texts.push(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Collect(self.0))?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_and_nested_lists_are_the_same() {
        for text in ["[1, -2, 0.5, 4]", "[[1, -2], [0.5, 4]]", "[[[1], [-2]], [[0.5], [4.0]]]"] {
            let elements: Elements = serde_json::from_str(text).unwrap();
            assert_eq!(elements.numbers, [1.0, -2.0, 0.5, 4.0], "{text}");
        }
        let elements: Elements = serde_json::from_str(r#"["a", "b"]"#).unwrap();
        assert_eq!(elements.texts, ["a", "b"]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["1", "[true]", "[null]", r#"[1, "a"]"#, r#"[{"a": 1}]"#] {
            assert!(serde_json::from_str::<Elements>(text).is_err(), "{text}");
        }
        let many = format!("[{}\"\"]", "\"\",".repeat(MAX_TEXTS));
        let message = serde_json::from_str::<Elements>(&many).unwrap_err().to_string();
        assert!(message.contains("more than 1048576 strings"), "{message}");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(serde_json::from_str::<Elements>(&deep).is_err(), "nesting is bounded");
    }
}
