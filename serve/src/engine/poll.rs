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

impl Engine {
    /// Looks at the store every `every` until the other end of `stop` is dropped.
    pub fn poll(&self, every: Duration, stop: &Receiver<()>) {
        let mut pending = Pending::new();
        while stop.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            self.look(&mut pending);
        }
    }

    /// One look at the store.
    fn look(&self, pending: &mut Pending) {
        let entries = match store::present(self.loader.store()) {
            Ok(entries) if entries.is_empty() => {
                tracing::warn!("{} holds no model; what is loaded stays", self.loader.store().display());
                return;
            }
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!("{error}; what is loaded stays");
                return;
            }
        };
        let seen: BTreeMap<&str, (&Entry, Fingerprint)> =
            entries.iter().map(|entry| (entry.name.as_str(), (entry, entry.fingerprint()))).collect();
        let tried = self.tried();
        let mut next = Pending::new();
        for (name, (entry, found)) in &seen {
            if tried.get(*name) == Some(found) {
                continue;
            }
            if pending.get(*name) == Some(&Some(found.clone())) {
                let _one = self.one_at_a_time();
                // The engine has logged why a version is refused, and keeps the reason.
                let _ = self.replace(entry, true);
            } else {
                next.insert((*name).to_owned(), Some(found.clone()));
            }
        }
        for name in tried.keys().filter(|name| !seen.contains_key(name.as_str())) {
            if pending.get(name) == Some(&None) {
                self.forget(name);
            } else {
                next.insert(name.clone(), None);
            }
        }
        *pending = next;
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
