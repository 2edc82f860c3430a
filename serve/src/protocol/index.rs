//! Every version that the server knows, with its state and why it is in it.
//!
//! # Source
//! Triton's model repository extension.

use crate::engine::{Aside, Engine, State};
use serde::Serialize;

/// One version of a model.
#[derive(Debug, PartialEq, Serialize)]
pub struct VersionState {
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: String,
    /// READY, LOADING or UNAVAILABLE.
    pub state: &'static str,
    /// Why it is unavailable, or a newer file of it was refused; else empty.
    pub reason: String,
}

/// Every version, or only those that answer.
pub fn index(engine: &Engine, only_ready: bool) -> Vec<VersionState> {
    let slots = engine.slots();
    let versions = slots.iter().flat_map(|(name, slot)| {
        let served = slot.served.as_ref().map(|served| served.version);
        listed(name, served, slot.aside.as_ref())
    });
    versions.filter(|version| !only_ready || version.state == "READY").collect()
}

/// The version that answers and the one that does not. When both are the same, because its file has changed, it is one entry
/// with the reason of the one that does not.
fn listed(name: &str, served: Option<u64>, aside: Option<&Aside>) -> Vec<VersionState> {
    let reason = aside.map_or("", |aside| match &aside.state {
        State::Loading => "",
        State::Refused(reason) => reason,
        State::Unloaded => "unloaded",
    });
    let entry = |version: u64, state, reason: &str| VersionState {
        name: name.to_owned(),
        version: version.to_string(),
        state,
        reason: reason.to_owned(),
    };
    let mut versions = Vec::new();
    if let Some(version) = served {
        let same = aside.is_some_and(|aside| aside.version == version);
        versions.push(entry(version, "READY", if same { reason } else { "" }));
    }
    if let Some(aside) = aside.filter(|aside| served != Some(aside.version)) {
        let state = match aside.state {
            State::Loading => "LOADING",
            State::Refused(_) | State::Unloaded => "UNAVAILABLE",
        };
        versions.push(entry(aside.version, state, reason));
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_listed_once_with_its_reason() {
        let refused = |version| Aside { version, state: State::Refused("no card".into()) };
        let cases = [
            (Some(1), None, vec![("1", "READY", "")]),
            (Some(1), Some(refused(2)), vec![("1", "READY", ""), ("2", "UNAVAILABLE", "no card")]),
            (Some(1), Some(refused(1)), vec![("1", "READY", "no card")]),
            (Some(1), Some(Aside { version: 1, state: State::Loading }), vec![("1", "READY", "")]),
            (None, Some(Aside { version: 3, state: State::Loading }), vec![("3", "LOADING", "")]),
            (None, Some(Aside { version: 3, state: State::Unloaded }), vec![("3", "UNAVAILABLE", "unloaded")]),
            (None, None, vec![]),
        ];
        for (served, aside, expected) in cases {
            let found = listed("m", served, aside.as_ref());
            let found: Vec<_> =
                found.iter().map(|item| (item.version.as_str(), item.state, item.reason.as_str())).collect();
            assert_eq!(found, expected, "{served:?} {aside:?}");
        }
    }
}
