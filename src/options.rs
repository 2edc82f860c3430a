//! What several commands take: values that are parsed from text.

use selfie_train::data::SplitName;

/// Parses a part of the labels: `5%` or `0.05`.
pub fn fraction(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    match number.trim().parse::<f64>().map(|number| number / scale) {
        Ok(fraction) if fraction > 0.0 && fraction <= 1.0 => Ok(fraction),
        _ => Err(format!("{text:?} is no part of a whole; write 5% or 0.05")),
    }
}

/// Parses the name of a split: `train`, `validation` or `test`.
pub fn split(text: &str) -> Result<SplitName, String> {
    let known = [SplitName::Train, SplitName::Validation, SplitName::Test];
    let found = known.into_iter().find(|split| split.to_string() == text);
    found.ok_or_else(|| format!("{text:?} is no split; write train, validation or test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_have_three_names() {
        assert_eq!(split("validation"), Ok(SplitName::Validation));
        assert!(split("training").unwrap_err().contains("train, validation or test"));
    }

    #[test]
    fn fractions_are_percent_or_plain() {
        for (text, expected) in [("5%", Some(0.05)), ("0.2", Some(0.2)), ("100%", Some(1.0)), ("1", Some(1.0))] {
            assert_eq!(fraction(text).ok(), expected, "{text}");
        }
        for text in ["0", "101%", "five", "", "-1%", "nan"] {
            assert!(fraction(text).is_err(), "{text}");
        }
    }
}
