//! Settings `key=value` on top of a recipe, and the names of all keys.

use super::Recipe;
use crate::Error;
use selfie_models::resnet::BlockKind;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Below this similarity (Jaro and Winkler, 0 to 1) a key is no likely misspelling of another.
const SIMILAR: f64 = 0.75;

impl Recipe {
    /// Applies settings `key=value` in their order; keys are dotted, values are TOML or else text.
    ///
    /// # Errors
    /// [`Error::Setting`] names the setting, what is wrong with it and the nearest known key.
    pub fn set(mut self, settings: &[String]) -> Result<Self, Error> {
        let wrong = |setting: String| move |reason: String| Error::Setting { setting, reason };
        for setting in settings {
            self = self.set_one(setting).map_err(wrong(setting.clone()))?;
        }
        // Two settings may only make sense together, so that the whole is checked after the last one.
        self.check().map_err(|reason| wrong(blamed(settings, &reason))(reason))?;
        Ok(self)
    }

    fn set_one(&self, setting: &str) -> Result<Self, String> {
        let (key, value) = setting.split_once('=').ok_or("it has no `=`; write key=value")?;
        let (key, value) = (key.trim(), value.trim());
        let mut table = Table::try_from(self).map_err(|error| error.to_string())?;
        insert(&mut table, key, parse(value))?;
        table
            .try_into()
            .map_err(|error: toml::de::Error| format!("{}{}", error.message(), nearest_key(error.message())))
    }

    /// The dotted keys whose values differ between two recipes, each with both values.
    pub(crate) fn differences(&self, other: &Self) -> Vec<(String, String, String)> {
        let (ours, theirs) = (leaves(self), leaves(other));
        let names: BTreeSet<&String> = ours.iter().chain(&theirs).map(|(name, _)| name).collect();
        let value = |leaves: &[(String, Value)], name: &String| {
            leaves.iter().find(|(known, _)| known == name).map_or("absent".into(), |(_, value)| value.to_string())
        };
        names
            .into_iter()
            .map(|name| (name.clone(), value(&ours, name), value(&theirs, name)))
            .filter(|(_, ours, theirs)| ours != theirs)
            .collect()
    }
}

/// Those settings that a reason names, or all of them.
fn blamed(settings: &[String], reason: &str) -> String {
    let is_named = |setting: &&String| setting.split('=').next().is_some_and(|key| reason.contains(key.trim()));
    let named: Vec<&str> = settings.iter().filter(is_named).map(String::as_str).collect();
    if named.is_empty() { settings.join(" --set ") } else { named.join(" --set ") }
}

/// The settings `key=value` that a table of settings stands for.
pub(crate) fn settings(table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    collect(table, "", &mut found);
    found.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// A remark that names the known key nearest to the unknown one of a message, or nothing.
pub(super) fn nearest_key(message: &str) -> String {
    let Some(unknown) = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) else {
        return String::new();
    };
    let similarity = |key: &str| strsim::jaro_winkler(unknown, key.rsplit('.').next().unwrap_or(key));
    let nearest = keys().into_iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest {
        Some(key) if similarity(&key) >= SIMILAR => format!("; did you mean `{key}`?"),
        _ => String::new(),
    }
}

/// All dotted keys of a recipe.
fn keys() -> Vec<String> {
    let mut full = Recipe::default();
    full.images.size = Some(0);
    full.images.channels = Some(0);
    full.network.block = Some(BlockKind::PreActivation);
    full.network.width = Some(0);
    full.network.depths = Some([0; 3]);
    full.network.fourth_group = Some(0);
    leaves(&full).into_iter().map(|(name, _)| name).collect()
}

fn leaves(recipe: &Recipe) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    if let Ok(table) = Table::try_from(recipe) {
        collect(&table, "", &mut found);
    }
    found
}

fn collect(table: &Table, prefix: &str, found: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) => collect(inner, &format!("{prefix}{key}."), found),
            value => found.push((format!("{prefix}{key}"), value.clone())),
        }
    }
}

fn parse(text: &str) -> Value {
    let parsed: Option<Table> = toml::from_str(&format!("value = {text}")).ok();
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn insert(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
            Ok(())
        }
        Some((outer, inner)) => match table.entry(outer).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(table) => insert(table, inner, value),
            _ => Err(format!("`{outer}` is a value and has no key `{inner}`")),
        },
    }
}
