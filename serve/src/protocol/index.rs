//! Every version that the server knows, with its state and why it is in it.
//!
//! # Source
//! Triton's model repository extension.

use crate::engine::{Engine, State};
use serde::Serialize;
use std::collections::BTreeMap;

/// One version of a model.
#[derive(Debug, PartialEq, Serialize)]
pub struct VersionState {
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: String,
    /// READY, LOADING, UNLOADING or UNAVAILABLE.
    pub state: &'static str,
    /// Why it is unavailable, or a newer file of it or the rules were refused; else empty.
    pub reason: String,
}

/// Every version, or only those that answer.
pub fn index(engine: &Engine, only_ready: bool) -> Vec<VersionState> {
    let slots = engine.slots();
    let versions = slots.iter().flat_map(|(name, slot)| {
        let served = slot.serving.as_ref().map(|serving| serving.numbers()).unwrap_or_default();
        listed(name, &served, &slot.aside, |version| slot.is_unloading(version))
    });
    versions.filter(|version| !only_ready || version.state == "READY").collect()
}

/// The versions that answer and then those that do not. One that is both, because its file has changed or the rules cannot be
/// followed, is one entry with the reason.
fn listed(
    name: &str,
    served: &[u64],
    aside: &BTreeMap<u64, State>,
    is_unloading: impl Fn(u64) -> bool,
) -> Vec<VersionState> {
    let entry = |version: u64, state, reason: &str| VersionState {
        name: name.to_owned(),
        version: version.to_string(),
        state,
        reason: reason.to_owned(),
    };
    let reason = |state: &State| match state {
        State::Loading => String::new(),
        State::Refused(reason) => reason.clone(),
        State::Unloaded => "unloaded".to_owned(),
    };
    let ready = |version: &u64| entry(*version, "READY", &aside.get(version).map(reason).unwrap_or_default());
    let not_ready = aside.iter().filter(|(version, _)| !served.contains(version)).map(|(version, state)| match state {
        State::Loading => entry(*version, "LOADING", ""),
        State::Unloaded if is_unloading(*version) => entry(*version, "UNLOADING", "it still answers requests"),
        State::Refused(_) | State::Unloaded => entry(*version, "UNAVAILABLE", &reason(state)),
    });
    served.iter().map(ready).chain(not_ready).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_listed_once_with_its_reason() {
        let refused = || State::Refused("no card".into());
        let cases = [
            (vec![1], vec![], vec![("1", "READY", "")]),
            (vec![1], vec![(2, refused())], vec![("1", "READY", ""), ("2", "UNAVAILABLE", "no card")]),
            (vec![1], vec![(1, refused())], vec![("1", "READY", "no card")]),
            (vec![1], vec![(1, State::Loading)], vec![("1", "READY", "")]),
            (vec![3, 4], vec![(4, refused())], vec![("3", "READY", ""), ("4", "READY", "no card")]),
            (vec![], vec![(3, State::Loading)], vec![("3", "LOADING", "")]),
            (
                vec![],
                vec![(3, State::Unloaded), (7, State::Unloaded)],
                vec![("3", "UNAVAILABLE", "unloaded"), ("7", "UNLOADING", "it still answers requests")],
            ),
            (vec![], vec![], vec![]),
        ];
        for (served, aside, expected) in cases {
            let found = listed("m", &served, &aside.clone().into_iter().collect(), |version| version == 7);
            let found: Vec<_> =
                found.iter().map(|item| (item.version.as_str(), item.state, item.reason.as_str())).collect();
            assert_eq!(found, expected, "{served:?} {aside:?}");
        }
    }
}
