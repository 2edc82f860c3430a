//! The versions of one model that answer, and which of them answers a request. They are swapped all at once.

use super::{Served, Shadow};
use crate::Error;
use crate::store::{CANARY, Entry, Rules};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The versions of one model that answer.
pub struct Serving {
    rules: Rules,
    versions: BTreeMap<u64, Arc<Served>>,
    /// The live version, with its shadow.
    live: Arc<Served>,
    canary: Option<(Arc<Served>, Turns)>,
}

/// Gives a share of requests, evenly: of any hundred in a row exactly `percent` have their turn.
struct Turns {
    percent: u64,
    count: AtomicU64,
}

impl Serving {
    /// What answers by these rules, where `others` are the versions beside the live one. A label of a version that is not among
    /// them is left out.
    ///
    /// # Errors
    /// [`Error::Rules`] when the shadow cannot be compared with the live version.
    pub fn new(entry: &Entry, rules: Rules, live: Arc<Served>, others: Vec<Arc<Served>>) -> Result<Self, Error> {
        let all = [live.clone()].into_iter().chain(others);
        let versions: BTreeMap<u64, Arc<Served>> = all.map(|served| (served.version, served)).collect();
        let live = match rules.shadow.and_then(|shadow| versions.get(&shadow)) {
            Some(shadow) => Arc::new(Served { shadow: Some(Shadow::new(entry, &live, shadow)?), ..(*live).clone() }),
            None => live,
        };
        let canary = rules.labels.get(CANARY).and_then(|version| versions.get(version));
        let canary = canary.map(|canary| (canary.clone(), Turns::new(rules.canary_percent)));
        Ok(Self { rules, versions, live, canary })
    }

    /// The version that answers requests which name none.
    pub fn live(&self) -> &Arc<Served> {
        &self.live
    }

    /// The version that answers the next request which names none: the live one, or the canary when it has its turn.
    pub fn next(&self) -> &Arc<Served> {
        match &self.canary {
            Some((canary, turns)) if turns.next() => canary,
            _ => &self.live,
        }
    }

    /// A version by its number.
    pub fn version(&self, version: u64) -> Option<&Arc<Served>> {
        self.versions.get(&version)
    }

    /// A version by its label.
    pub fn label(&self, label: &str) -> Option<&Arc<Served>> {
        self.versions.get(self.rules.labels.get(label)?)
    }

    /// Every version.
    pub fn versions(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.versions.values()
    }

    /// Whether the runtime of a version that answers requests is broken.
    pub fn is_broken(&self) -> bool {
        let shadow = self.rules.shadow.filter(|shadow| *shadow != self.live.version);
        self.versions().any(|served| served.is_broken() && Some(served.version) != shadow)
    }

    /// The numbers of the versions.
    pub fn numbers(&self) -> Vec<u64> {
        self.versions.keys().copied().collect()
    }

    /// The labels that lead to a version.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.rules.labels.keys().map(String::as_str).filter(|label| self.label(label).is_some())
    }

    /// Whether rules say which versions are served, rather than their numbers.
    pub fn has_rules(&self) -> bool {
        self.rules != Rules::default()
    }
}

impl Turns {
    fn new(percent: u8) -> Self {
        Self { percent: percent.into(), count: AtomicU64::new(0) }
    }

    /// Whether the next request has its turn.
    fn next(&self) -> bool {
        let number = self.count.fetch_add(1, Ordering::Relaxed) % 100;
        // The whole part of `number * percent / 100` grows at the next request.
        number * self.percent % 100 + self.percent >= 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_hundred_in_a_row_hold_exactly_the_share_and_it_is_spread() {
        for percent in 0..=100 {
            let turns = Turns::new(percent);
            let given: Vec<bool> = (0..400).map(|_| turns.next()).collect();
            for hundred in given.windows(100) {
                assert_eq!(hundred.iter().filter(|turn| **turn).count(), usize::from(percent));
            }
            let longest = given.chunk_by(|a, b| a == b).filter(|run| !run[0]).map(<[bool]>::len).max().unwrap_or(0);
            assert!(percent == 0 || longest <= 100_usize.div_ceil(percent.into()), "{percent}: {longest}");
        }
    }
}
