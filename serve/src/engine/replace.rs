//! From the store to what answers: the versions that the rules want are loaded aside; only when all are proven they take the
//! place of those that answer, all at once.

use super::{Engine, Served, Serving, State};
use crate::Error;
use crate::store::Entry;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// A version that kept the others from being served, and why.
struct Refusal {
    version: u64,
    error: Error,
}

/// What will answer, and the versions that were left out.
type Prepared = (Serving, BTreeMap<u64, State>);

impl Engine {
    /// Serves what the store and its rules say, or keeps what answers now. With `keep`, versions that are served and whose
    /// files have not changed are not loaded again.
    ///
    /// # Errors
    /// The rules cannot be followed, or a version is refused. While nothing else is served, refused versions beside the live one
    /// are left out instead.
    pub(super) fn replace(&self, entry: &Entry, keep: bool) -> Result<(), Error> {
        let name = &entry.name;
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), entry.fingerprint());
        let now = self.serving(name);
        let prepared = self.prepare(entry, now.as_deref(), keep);
        let mut slots = self.write();
        let slot = slots.entry(name.clone()).or_default();
        match prepared {
            Ok((serving, aside)) => {
                slot.aside = aside;
                slot.is_wanted = true;
                slot.serving = Some(Arc::new(serving));
                if let Some(now) = &now {
                    gone(now.versions(), slot.serving.as_deref());
                }
                Ok(())
            }
            Err(Refusal { version, error }) => {
                // A version that is refused has been logged by the loader.
                if let Error::Rules { .. } = &error {
                    tracing::error!("model {name}: {error}");
                }
                slot.aside = [(version, State::Refused(error.to_string()))].into();
                Err(error)
            }
        }
    }

    fn prepare(&self, entry: &Entry, now: Option<&Serving>, keep: bool) -> Result<Prepared, Refusal> {
        let refusal = |version: u64| move |error: Error| Refusal { version, error };
        let rules = entry.rules().map_err(refusal(now.map_or(entry.version, |now| now.live().version)))?;
        let live = rules.live(entry.version);
        let mut wanted = rules.wanted(entry.version);
        let kept = |version: u64| {
            let served = now.filter(|_| keep)?.version(version)?;
            (served.files == entry.files(version) && !served.is_broken()).then_some(served)
        };
        let loading = wanted.iter().filter(|version| kept(**version).is_none());
        let loading = loading.map(|version| (*version, State::Loading)).collect();
        self.write().entry(entry.name.clone()).or_default().aside = loading;

        let mut fresh: Vec<Arc<Served>> = Vec::new();
        let mut load = |version: u64| -> Result<Arc<Served>, Error> {
            if let Some(served) = kept(version) {
                return Ok(served.clone());
            }
            let is_served = now.is_some_and(|now| now.version(version).is_some());
            let served = Arc::new(self.loader.load(entry, version, is_served)?);
            fresh.push(served.clone());
            Ok(served)
        };
        wanted.remove(&live);
        let mut refused = BTreeMap::new();
        let made = load(live).map_err(refusal(live)).and_then(|live| {
            let mut others = Vec::new();
            for version in wanted {
                match load(version) {
                    Ok(served) => others.push(served),
                    Err(error) if now.is_none() => {
                        refused.insert(version, State::Refused(error.to_string()));
                    }
                    Err(error) => return Err(Refusal { version, error }),
                }
            }
            let shadow = rules.shadow.unwrap_or(live.version);
            Serving::new(entry, rules, live, others).map_err(refusal(shadow))
        });
        if made.is_err() {
            gone(fresh.iter(), now);
        }
        Ok((made?, refused))
    }
}

/// Takes versions out of the metrics, but for those that answer.
pub(super) fn gone<'a>(versions: impl Iterator<Item = &'a Arc<Served>>, but: Option<&Serving>) {
    for served in versions.filter(|served| but.is_none_or(|but| but.version(served.version).is_none())) {
        served.metrics.unloaded();
        tracing::info!("model {} version {} is unloaded", served.name, served.version);
    }
}
