//! Every model of a store, ready or refused, and the way of a request through one of them.
//!
//! A version is loaded aside, on the thread that asks for it, and proven by its golden samples; only then it takes the place of
//! the one that answers. Requests that hold the old one end on it, and its memory goes with the last of them. Where several
//! versions of a model are served, they are proven and swapped together.
//!
//! | module | what it does |
//! |---|---|
//! | `rehearsal`, `load`, `replace`, `poll`, `mend` | versions come: one is tried by a process of its own and loaded, all are swapped, the store is watched, broken ones are loaded again |
//! | `slot`, `serving` | what is known of a model; its versions that answer |
//! | `find` | which version a request means |
//! | `served` | the way of a request: admission, `decoders`, batch, answers in order, `timing` |
//! | `shadow` | a version that answers nobody |

mod cache;
mod decoders;
mod find;
mod load;
mod mend;
mod poll;
mod rehearsal;
mod replace;
mod served;
mod serving;
mod shadow;
mod slot;
mod timing;

pub use find::Which;
pub use rehearsal::rehearse;
pub use served::{Answers, Served};
pub use serving::Serving;
pub use slot::{Slot, State};
pub use timing::{Laps, Timing, with_total};

use crate::Config;
use crate::Error;
use crate::metrics::Metrics;
use crate::store::{self, Entry, Fingerprint};
use load::Loader;
use shadow::{Mirror, Mirrored, Shadow};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

/// Instead of names: no model is asked for.
const NONE: &str = "none";

/// Every model of a store.
pub struct Engine {
    slots: RwLock<BTreeMap<String, Slot>>,
    loader: Loader,
    /// The files that were loaded last, or refused, by the name of the model.
    tried: Mutex<BTreeMap<String, Fingerprint>>,
    /// One load at a time: several at once would need the memory of all.
    loading: Mutex<()>,
}

impl Engine {
    /// Loads every model of the store that is asked for. A model that cannot be served is refused and the others are served.
    ///
    /// # Errors
    /// The store cannot be read, the runtime is missing, or no model at all can be served.
    pub fn open(config: &Config, metrics: &Metrics) -> Result<Self, Error> {
        let loader = Loader::new(config, metrics)?;
        let entries = store::scan(&config.models)?;
        let (slots, tried, loading) = (RwLock::default(), Mutex::default(), Mutex::default());
        let engine = Self { slots, loader, tried, loading };
        engine.check_names(&entries)?;
        let (asked, others): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| engine.is_asked_for(&entry.name));
        let mut reasons = Vec::new();
        for entry in &asked {
            if let Err(error) = engine.replace(entry, false) {
                reasons.push(format!("{}: {error}", entry.name));
            }
        }
        engine.write().values_mut().for_each(|slot| slot.is_wanted = true);
        others.into_iter().for_each(|entry| engine.leave(entry));
        if !asked.is_empty() && reasons.len() == asked.len() {
            let reason = format!("no model of it can be served: {}", reasons.join("; "));
            return Err(Error::Store { path: config.models.clone(), reason });
        }
        Ok(engine)
    }

    /// Checks that the store holds the models that the options name.
    fn check_names(&self, entries: &[Entry]) -> Result<(), Error> {
        let is_there = |name: &str| name == NONE || entries.iter().any(|entry| entry.name == name);
        let Some(missing) = self.loader.config().load_models.iter().find(|name| !is_there(name)) else { return Ok(()) };
        let names = entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ");
        let reason = format!("\"{missing}\" is no model of the store, which holds {names}");
        Err(Error::Option { option: "load_models", reason })
    }

    /// Whether a model is to be served without anybody loading it.
    fn is_asked_for(&self, name: &str) -> bool {
        let asked = &self.loader.config().load_models;
        asked.is_empty() || asked.iter().any(|asked| asked == name)
    }

    /// Knows a model that waits for an administrator.
    fn leave(&self, entry: &Entry) {
        let aside = [(entry.version, State::Unloaded)].into();
        self.write().entry(entry.name.clone()).or_insert(Slot { aside, ..Slot::default() });
    }

    /// The models by their names, as they are now.
    pub fn slots(&self) -> BTreeMap<String, Slot> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The versions of a model that answer, if one does.
    pub fn serving(&self, name: &str) -> Option<Arc<Serving>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(name)?.serving.clone()
    }

    /// Every version that answers, in the order of the names and the versions.
    pub fn served(&self) -> Vec<Arc<Served>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots
            .values()
            .filter_map(|slot| slot.serving.as_ref())
            .flat_map(|serving| serving.versions())
            .cloned()
            .collect()
    }

    /// Whether every model answers that was there at the start or has answered before, but for those that were unloaded. A model that
    /// comes later, and is being loaded or was refused, counts when the options are strict.
    pub fn is_ready(&self) -> bool {
        let is_strict = self.loader.config().strict_readiness;
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.values().filter(|slot| slot.is_wanted || is_strict).all(Slot::is_ready)
    }

    /// The version whose ONNX file has this SHA-256, if it answers now.
    pub fn with_digest(&self, sha256: &str) -> Option<Arc<Served>> {
        self.served().into_iter().find(|served| served.model.file.sha256 == sha256)
    }

    /// Loads what the store and its rules want of a model and lets it answer, or keeps what answers now. Versions that have not
    /// changed are kept when something else has; when nothing has, all are loaded again.
    ///
    /// # Errors
    /// The store holds no such model, its rules cannot be followed, or a version is refused.
    pub fn load(&self, name: &str) -> Result<(), Error> {
        let _one = self.one_at_a_time();
        let entries = store::present(self.loader.store())?;
        match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => self.replace(entry, self.tried().get(name) != Some(&entry.fingerprint())),
            None => {
                let names = entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ");
                Err(Error::UnknownModel { name: name.to_owned(), known: format!("the store holds: {names}") })
            }
        }
    }

    /// Lets a model answer no more. Requests that hold it are answered.
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn unload(&self, name: &str) -> Result<(), Error> {
        let _one = self.one_at_a_time();
        let mut slots = self.write();
        let Some(slot) = slots.get_mut(name) else {
            return Err(Error::UnknownModel { name: name.to_owned(), known: "nothing to unload".into() });
        };
        let Some(serving) = slot.serving.take() else { return Ok(()) };
        slot.unloaded = serving.versions().map(|served| (served.version, served.metrics.shared_statistics())).collect();
        slot.aside = serving.numbers().into_iter().map(|version| (version, State::Unloaded)).collect();
        slot.is_wanted = false;
        replace::gone(serving.versions(), None);
        Ok(())
    }

    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tried(&self) -> BTreeMap<String, Fingerprint> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Slot>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes no new item and finishes every item that waits.
    pub fn finish(&self) {
        self.served().iter().for_each(|served| served.finish());
    }
}
