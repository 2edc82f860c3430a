//! `<store>/<model>/versions.toml`: which versions of a model are served, and which of them answers a request.
//!
//! ```toml
//! canary_percent = 5   # of the requests that name no version go to the canary
//! shadow = 4           # runs what the live version answers, for comparison, and answers nobody
//!
//! [labels]
//! stable = 3           # the live version: answers requests that name none
//! canary = 4
//! ```
//!
//! Every key may be missing. Without `stable` the highest version is live, without the file it is the only one that is served.
//! A version that nothing names is not loaded.
//!
//! # Source
//! TensorFlow Serving's `version_labels`: a label points to a version that is loaded.

use crate::Error;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Name of the file in a model's folder.
pub const RULES_FILE: &str = "versions.toml";

/// The label of the version that is live.
pub const STABLE: &str = "stable";

/// The label of the version that gets a share of the requests.
pub const CANARY: &str = "canary";

/// Which versions of a model are served, and which of them answers a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Names of versions.
    pub labels: BTreeMap<String, u64>,
    /// How many in a hundred requests that name no version go to the one labelled `canary`.
    pub canary_percent: u8,
    /// The version that runs what the live one answers, for comparison.
    pub shadow: Option<u64>,
}

impl Rules {
    /// The rules in a model's folder that holds these versions; no rules without a file.
    ///
    /// # Errors
    /// [`Error::Rules`] when the file cannot be read or followed.
    pub fn read(folder: &Path, versions: &BTreeMap<u64, PathBuf>) -> Result<Self, Error> {
        let path = folder.join(RULES_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::Rules { path, reason: format!("cannot be read: {error}") }),
        };
        Self::parse(&text, versions).map_err(|reason| Error::Rules { path, reason })
    }

    fn parse(text: &str, versions: &BTreeMap<u64, PathBuf>) -> Result<Self, String> {
        let rules: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        for label in rules.labels.keys() {
            if !label.bytes().all(is_letter) || label.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("label \"{label}\" is none; use letters, digits and _, and not digits alone"));
            }
        }
        let labels = rules.labels.iter().map(|(label, version)| (format!("label {label}"), *version));
        for (what, version) in labels.chain(rules.shadow.map(|version| ("shadow".to_owned(), version))) {
            if !versions.contains_key(&version) {
                let here: Vec<String> = versions.keys().map(u64::to_string).collect();
                return Err(format!("{what} is version {version}; in the store are {}", here.join(", ")));
            }
        }
        if rules.canary_percent > 100 {
            return Err(format!("canary_percent is {}; it must be 0 to 100", rules.canary_percent));
        }
        if rules.canary_percent > 0 && !rules.labels.contains_key(CANARY) {
            return Err(format!("canary_percent is {}, but no version has the label {CANARY}", rules.canary_percent));
        }
        let live = versions.keys().next_back().map(|newest| rules.live(*newest));
        if let Some(shadow) = rules.shadow.filter(|shadow| live == Some(*shadow)) {
            return Err(format!("shadow is version {shadow}, which is live; give another version the label {STABLE}"));
        }
        Ok(rules)
    }

    /// The version that answers requests which name none, where `newest` is the highest.
    pub fn live(&self, newest: u64) -> u64 {
        self.labels.get(STABLE).copied().unwrap_or(newest)
    }

    /// Every version that is served or compared, where `newest` is the highest.
    pub fn wanted(&self, newest: u64) -> BTreeSet<u64> {
        self.labels.values().copied().chain(self.shadow).chain([self.live(newest)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Rules, String> {
        Rules::parse(text, &[3, 4, 9].map(|version| (version, PathBuf::new())).into())
    }

    #[test]
    fn only_what_is_named_is_wanted() {
        let cases = [
            ("", 9, vec![9]),
            ("[labels]\nstable = 3", 3, vec![3]),
            ("[labels]\nold = 3", 9, vec![3, 9]),
            ("canary_percent = 5\nshadow = 4\n[labels]\nstable = 3\ncanary = 4", 3, vec![3, 4]),
            ("canary_percent = 100\n[labels]\ncanary = 9", 9, vec![9]),
        ];
        for (text, live, wanted) in cases {
            let rules = parse(text).unwrap();
            assert_eq!((rules.live(9), rules.wanted(9)), (live, wanted.into_iter().collect()), "{text:?}");
        }
    }

    #[test]
    fn rules_that_cannot_be_followed_are_refused_with_the_reason() {
        let cases = [
            ("shadow = 3\nstable = 3", "line 2: unknown field `stable`"),
            ("[labels]\nstable = \"3\"", "expected u64"),
            ("[labels]\nstable = -1", "u64"),
            ("[labels]\nstable = 5", "label stable is version 5; in the store are 3, 4, 9"),
            ("[labels]\n\"a-b\" = 3", "label \"a-b\""),
            ("[labels]\n12 = 3", "not digits alone"),
            ("[labels]\n\"\" = 3", "label \"\""),
            ("shadow = 5", "shadow is version 5"),
            ("shadow = 9", "shadow is version 9, which is live"),
            ("canary_percent = 5", "no version has the label canary"),
            ("canary_percent = 101\n[labels]\ncanary = 3", "0 to 100"),
            ("canary_percent = 0.5", "expected u8"),
            ("[labels", "line 1: "),
        ];
        for (text, expected) in cases {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(expected), "{text:?}: {reason}");
        }
    }
}
