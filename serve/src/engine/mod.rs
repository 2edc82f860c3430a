//! Every model of a store, ready or refused, and the way of a request through one of them.
//!
//! A version is loaded aside, on the thread that asks for it, and proven by its golden samples; only then it takes the place of
//! the one that answers. Requests that hold the old one end on it, and its memory goes with the last of them.

mod load;
mod poll;
mod served;
mod slot;
mod timing;

pub use served::{Answers, Served};
pub use slot::{Aside, Slot, State};
pub use timing::Timing;

use crate::Config;
use crate::Error;
use crate::metrics::Metrics;
use crate::store::{self, Entry, Fingerprint};
use load::Loader;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

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
    /// Loads every model of the store. A model that cannot be served is refused and the others are served.
    ///
    /// # Errors
    /// The store cannot be read, the runtime is missing, or no model at all can be served.
    pub fn open(config: &Config, metrics: &Metrics) -> Result<Self, Error> {
        let loader = Loader::new(config, metrics)?;
        let entries = store::scan(&config.models)?;
        let (slots, tried, loading) = (RwLock::default(), Mutex::default(), Mutex::default());
        let engine = Self { slots, loader, tried, loading };
        let mut reasons = Vec::new();
        for entry in &entries {
            if let Err(error) = engine.replace(entry) {
                reasons.push(format!("{}: {error}", entry.name));
            }
        }
        if reasons.len() == entries.len() {
            let reason = format!("no model of it can be served: {}", reasons.join("; "));
            return Err(Error::Store { path: config.models.clone(), reason });
        }
        Ok(engine)
    }

    /// The models by their names, as they are now.
    pub fn slots(&self) -> BTreeMap<String, Slot> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether every model of the store answers, but for those that were unloaded.
    pub fn is_ready(&self) -> bool {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).values().all(Slot::is_ready)
    }

    /// The model whose ONNX file has this SHA-256, if it answers now.
    pub fn with_digest(&self, sha256: &str) -> Option<Arc<Served>> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let mut served = slots.values().filter_map(|slot| slot.served.as_ref());
        served.find(|served| served.model.file.sha256 == sha256).cloned()
    }

    /// The model that a request means. No name is enough when there is only one model.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] names those that are here; [`Error::Loading`] and [`Error::Refused`] say why a model does not
    /// answer.
    pub fn find(&self, name: Option<&str>, version: Option<u64>) -> Result<Arc<Served>, Error> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let names = || slots.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (name, slot) = match name {
            Some(name) => {
                let unknown = || Error::UnknownModel { name: name.to_owned(), known: format!("here are: {}", names()) };
                (name, slots.get(name).ok_or_else(unknown)?)
            }
            None => match slots.iter().next() {
                Some((name, slot)) if slots.len() == 1 => (name.as_str(), slot),
                _ => return Err(Error::invalid("model", format!("model is missing; here are: {}", names()))),
            },
        };
        let served = slot.served.as_ref();
        if let Some(served) = served.filter(|served| version.is_none_or(|version| version == served.version)) {
            return Ok(served.clone());
        }
        let aside = slot.aside.as_ref().filter(|aside| version.is_none_or(|version| version == aside.version));
        let model = name.to_owned();
        Err(match (aside.map(|aside| &aside.state), served) {
            (Some(State::Loading), _) => Error::Loading { model },
            (Some(State::Refused(reason)), _) => Error::Refused { model, reason: reason.clone() },
            (Some(State::Unloaded), _) => Error::Refused { model, reason: "it was unloaded".into() },
            (None, served) => {
                let known = match served {
                    Some(served) => format!("version {} is served", served.version),
                    None => "no version is served".to_owned(),
                };
                Error::UnknownModel { name: format!("{name}, version {}", version.unwrap_or_default()), known }
            }
        })
    }

    /// Loads the highest version of a model in the store and lets it answer, or keeps what answers now.
    ///
    /// # Errors
    /// The store holds no such model, or the version is refused.
    pub fn load(&self, name: &str) -> Result<(), Error> {
        let _one = self.one_at_a_time();
        let entries = store::present(self.loader.store())?;
        match entries.iter().find(|entry| entry.name == name) {
            Some(entry) => self.replace(entry),
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
        let Some(served) = slot.served.take() else { return Ok(()) };
        slot.aside = Some(Aside { version: served.version, state: State::Unloaded });
        served.metrics.unloaded();
        tracing::info!("model {name} version {} is unloaded", served.version);
        Ok(())
    }

    /// Loads a version aside and puts it in the place of the one that answers.
    fn replace(&self, entry: &Entry) -> Result<(), Error> {
        let aside = |state: State| Some(Aside { version: entry.version, state });
        let tried = entry.fingerprint();
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(entry.name.clone(), tried);
        self.write().entry(entry.name.clone()).or_default().aside = aside(State::Loading);
        let loaded = self.loader.load(entry);
        let mut slots = self.write();
        let slot = slots.entry(entry.name.clone()).or_default();
        match loaded {
            Ok(served) => {
                let old = slot.served.replace(Arc::new(served));
                slot.aside = None;
                if let Some(old) = old.filter(|old| old.version != entry.version) {
                    old.metrics.unloaded();
                }
                Ok(())
            }
            Err(error) => {
                slot.aside = aside(State::Refused(error.to_string()));
                Err(error)
            }
        }
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
        for slot in self.slots().into_values() {
            if let Some(served) = slot.served {
                served.finish();
            }
        }
    }
}
