//! Watching the store: what appears or changes, rules included, is loaded aside and swapped, what is gone is unloaded.
//!
//! A change counts when two looks in a row see the same: a file that is being copied is never loaded half, as long as the copy
//! grows between two looks. A version that was refused is tried again when its files change.

use super::Engine;
use super::replace::gone;
use crate::store::{self, Entry, Fingerprint};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// What was seen at the last look and has not been acted on: a model's files, or that it is gone.
type Pending = BTreeMap<String, Option<Fingerprint>>;

/// Why nothing could be seen at the last look, if so.
#[derive(Default)]
struct Blindness(Option<String>);

impl Blindness {
    /// What this look says; whether that has to be told, which is once and not at every look.
    fn is_news(&mut self, reason: Option<&str>) -> bool {
        let is_news = reason.is_some() && self.0.as_deref() != reason;
        self.0 = reason.map(str::to_owned);
        is_news
    }
}

impl Engine {
    /// Looks at the store every `every`, and whenever it is `told`, until the other end of that is dropped. Whoever tells it says that what is
    /// there is whole.
    pub fn poll(&self, every: Duration, told: &Receiver<()>) {
        let (mut pending, mut blindness) = (Pending::new(), Blindness::default());
        loop {
            let is_told = match told.recv_timeout(every) {
                Ok(()) => true,
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let blind = self.look(&mut pending, is_told).err();
            if blindness.is_news(blind.as_deref()) {
                tracing::warn!("{}; what is loaded stays", blind.unwrap_or_default());
            }
        }
    }

    /// One look at the store, which counts alone when `is_whole`; the reason when there is nothing to see.
    fn look(&self, pending: &mut Pending, is_whole: bool) -> Result<(), String> {
        let entries = store::present(self.loader.store()).map_err(|error| error.to_string())?;
        if entries.is_empty() {
            return Err(format!("{} holds no model", self.loader.store().display()));
        }
        let seen: BTreeMap<&str, (&Entry, Fingerprint)> =
            entries.iter().map(|entry| (entry.name.as_str(), (entry, entry.fingerprint()))).collect();
        let tried = self.tried();
        let mut next = Pending::new();
        for (name, (entry, found)) in &seen {
            if !self.is_asked_for(name) && self.serving(name).is_none() {
                self.leave(entry);
                continue;
            }
            if tried.get(*name) == Some(found) {
                continue;
            }
            if is_whole || pending.get(*name) == Some(&Some(found.clone())) {
                let _one = self.one_at_a_time();
                // The engine has logged why a version is refused, and keeps the reason.
                let _ = self.replace(entry, true);
            } else {
                next.insert((*name).to_owned(), Some(found.clone()));
            }
        }
        for name in tried.keys().filter(|name| !seen.contains_key(name.as_str())) {
            if is_whole || pending.get(name) == Some(&None) {
                self.forget(name);
            } else {
                next.insert(name.clone(), None);
            }
        }
        self.write().retain(|name, slot| slot.serving.is_some() || slot.is_wanted || seen.contains_key(name.as_str()));
        *pending = next;
        Ok(())
    }

    /// Lets a model go that is no longer in the store.
    fn forget(&self, name: &str) {
        let _one = self.one_at_a_time();
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let slot = self.write().remove(name);
        if let Some(serving) = slot.and_then(|slot| slot.serving) {
            tracing::info!("model {name} is gone from the store");
            gone(serving.versions(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_cannot_be_seen_is_told_of_once() {
        let mut blindness = Blindness::default();
        let looks = [None, Some("empty"), Some("empty"), Some("gone"), Some("empty"), None, None, Some("empty")];
        let told = looks.map(|reason| blindness.is_news(reason));
        assert_eq!(told, [false, true, false, true, true, false, false, true]);
    }
}
