//! Which version of which model a request means.

use super::{Engine, Served, Serving, Slot, State};
use crate::{Error, whole};
use std::sync::{Arc, PoisonError};

/// Which version of a model a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// It does not say.
    Usual,
    /// This one.
    Version(u64),
    /// The one with this label.
    Label(&'a str),
}

impl Engine {
    /// The version that a request means, to look at: the live one when it does not say. The name may say it as well,
    /// `name:version` or `name:label`. No name is enough when there is only one model.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] names those that are here; [`Error::Loading`] and [`Error::Refused`] say why a model does not
    /// answer.
    pub fn find(&self, name: Option<&str>, which: Which<'_>) -> Result<Arc<Served>, Error> {
        self.pick(name, which, Serving::live)
    }

    /// As [`Engine::find`] for a request that is to be answered: when it does not say which version it means, the canary gets
    /// its share.
    ///
    /// # Errors
    /// Those of [`Engine::find`].
    pub fn route(&self, name: Option<&str>, which: Which<'_>) -> Result<Arc<Served>, Error> {
        self.pick(name, which, Serving::next)
    }

    fn pick(
        &self,
        name: Option<&str>,
        which: Which<'_>,
        usual: fn(&Serving) -> &Arc<Served>,
    ) -> Result<Arc<Served>, Error> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let names = || slots.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (name, slot, which) = match name {
            Some(name) => {
                let (name, which) = match which {
                    Which::Usual if !slots.contains_key(name) => split(name),
                    which => (name, which),
                };
                let unknown = || Error::UnknownModel { name: name.to_owned(), known: format!("here are: {}", names()) };
                (name, slots.get(name).ok_or_else(unknown)?, which)
            }
            None => match slots.iter().next() {
                Some((name, slot)) if slots.len() == 1 => (name.as_str(), slot, which),
                _ => return Err(Error::invalid("model", format!("model is missing; here are: {}", names()))),
            },
        };
        let found = slot.serving.as_ref().and_then(|serving| match which {
            Which::Usual => Some(usual(serving)),
            Which::Version(version) => serving.version(version),
            Which::Label(label) => serving.label(label),
        });
        found.cloned().ok_or_else(|| missing(name, slot, which))
    }
}

/// A name, and the version or the label behind its last colon.
fn split(name: &str) -> (&str, Which<'_>) {
    match name.rsplit_once(':') {
        Some((name, suffix)) => (name, whole::parse(suffix).map_or(Which::Label(suffix), Which::Version)),
        None => (name, Which::Usual),
    }
}

/// Why a model that is here does not answer.
fn missing(name: &str, slot: &Slot, which: Which<'_>) -> Error {
    let model = name.to_owned();
    let state = match which {
        Which::Version(version) => slot.aside.get(&version),
        Which::Usual | Which::Label(_) if slot.serving.is_none() => slot.aside.values().next_back(),
        Which::Usual | Which::Label(_) => None,
    };
    match state {
        Some(State::Loading) => Error::Loading { model },
        Some(State::Refused(reason)) => Error::Refused { model, reason: reason.clone() },
        Some(State::Unloaded) => Error::Refused { model, reason: "it was unloaded".into() },
        None => {
            let numbers = slot.serving.as_ref().map(|serving| serving.numbers()).unwrap_or_default();
            let served = match &numbers[..] {
                [] => "no version is served".to_owned(),
                [one] => format!("version {one} is served"),
                many => {
                    format!("versions {} are served", many.iter().map(u64::to_string).collect::<Vec<_>>().join(", "))
                }
            };
            let labels: Vec<&str> = slot.serving.iter().flat_map(|serving| serving.labels()).collect();
            let labelled = match &labels[..] {
                [] => "it has no labels".to_owned(),
                labels => format!("its labels are: {}", labels.join(", ")),
            };
            match which {
                Which::Usual => Error::UnknownModel { name: model, known: served },
                Which::Version(version) => {
                    Error::UnknownModel { name: format!("{name}, version {version}"), known: served }
                }
                Which::Label(label) => Error::UnknownModel { name: format!("{name}, label {label}"), known: labelled },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_end_with_a_version_or_a_label() {
        let cases = [
            ("net", ("net", Which::Usual)),
            ("net:3", ("net", Which::Version(3))),
            ("net:canary", ("net", Which::Label("canary"))),
            ("a:b:canary", ("a:b", Which::Label("canary"))),
            ("net:", ("net", Which::Label(""))),
            (":3", ("", Which::Version(3))),
        ];
        for (name, expected) in cases {
            assert_eq!(split(name), expected, "{name:?}");
        }
    }
}
