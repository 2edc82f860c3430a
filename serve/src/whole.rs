//! Whole numbers as clients write them: of any length, and in JSON with a fraction of zero, which JSON does not tell from
//! none. What no 64 bits hold counts as the largest that they do.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::fmt;

/// The number in a text of digits.
pub fn parse(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A whole number in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole(pub u64);

impl Whole {
    /// The number as a count of things in memory.
    pub fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not as u64: options that stand beside others in one object would be refused with a fraction.
        deserializer.deserialize_any(Number).map(Self)
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number, 0 or more")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<u64, E> {
        let is_whole = value >= 0.0 && value.fract() == 0.0;
        // The cast saturates.
        is_whole.then_some(value as u64).ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_digits_is_a_number_of_any_length() {
        let cases = [("7", Some(7)), ("007", Some(7)), ("134380871617553284613537792", Some(u64::MAX)), ("-1", None)];
        for (text, expected) in cases.into_iter().chain([("", None), ("+1", None), ("1 ", None), ("1.0", None)]) {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_fraction_of_zero_is_none() {
        let cases = [("3", Some(3)), ("3.0", Some(3)), ("1e2", Some(100)), ("1e30", Some(u64::MAX)), ("3.5", None)];
        for (text, expected) in cases.into_iter().chain([("-1", None), ("-1.0", None), ("\"3\"", None), ("true", None)])
        {
            let found = serde_json::from_str::<Whole>(text).ok();
            assert_eq!(found, expected.map(Whole), "{text}");
        }
    }
}
