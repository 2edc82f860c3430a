//! The settings of the log, which change while the server runs.
//!
//! # Source
//! Triton's logging extension. A file and other forms of the log are a matter of how the server is started.

use crate::Error;
use crate::logging::{Log, Shown, log};
use crate::whole::Whole;
use serde::{Deserialize, Serialize};

/// The settings of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LogSettings {
    /// Always empty: the log goes to the standard error.
    pub log_file: &'static str,
    /// Whether what happens in the usual life of the server is shown.
    pub log_info: bool,
    /// Whether warnings are shown.
    pub log_warning: bool,
    /// Whether errors are shown.
    pub log_error: bool,
    /// 0, or 1 for what helps to find a mistake, or from 2 on everything.
    pub log_verbose_level: u32,
    /// Always `default`: the form of the start.
    pub log_format: &'static str,
}

/// The new value of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum LogValue {
    /// Whether something is shown.
    Flag(bool),
    /// A level.
    Level(Whole),
    /// A file or a form.
    Text(String),
    /// No new value.
    Unset(()),
}

const NAMES: [&str; 6] = ["log_file", "log_info", "log_warning", "log_error", "log_verbose_level", "log_format"];
const FILE: &str = "";
const FORMAT: &str = "default";

impl From<Shown> for LogSettings {
    fn from(shown: Shown) -> Self {
        Self {
            log_file: FILE,
            log_info: shown.infos,
            log_warning: shown.warnings,
            log_error: shown.errors,
            log_verbose_level: shown.verbose,
            log_format: FORMAT,
        }
    }
}

/// The settings now.
///
/// # Errors
/// [`Error::Forbidden`] when the log of this process is not one that can be changed.
pub fn log_settings() -> Result<LogSettings, Error> {
    Ok(changeable()?.shown().into())
}

/// Changes what is named, all or nothing, and gives the settings then.
///
/// # Errors
/// [`Error::Forbidden`] as for [`log_settings`]; [`Error::Invalid`] names the first setting that is unknown or has a value that
/// cannot be.
pub fn update_log(changes: impl IntoIterator<Item = (String, LogValue)>) -> Result<LogSettings, Error> {
    let log = changeable()?;
    let now = log.shown();
    let wanted = changed(now, changes)?;
    if wanted != now {
        log.show(wanted);
        tracing::info!("the log shows now: {wanted:?}");
    }
    Ok(log.shown().into())
}

fn changeable() -> Result<&'static dyn Log, Error> {
    let reason = "the program that this server is a part of has a log that cannot be changed";
    log().ok_or_else(|| Error::Forbidden { reason: reason.into() })
}

fn changed(mut shown: Shown, changes: impl IntoIterator<Item = (String, LogValue)>) -> Result<Shown, Error> {
    for (name, value) in changes {
        let wrong = |what: &str| Err(Error::invalid(name.as_str(), format!("{name} {what}")));
        match (name.as_str(), value) {
            (known, LogValue::Unset(())) if NAMES.contains(&known) => {}
            ("log_info", LogValue::Flag(on)) => shown.infos = on,
            ("log_warning", LogValue::Flag(on)) => shown.warnings = on,
            ("log_error", LogValue::Flag(on)) => shown.errors = on,
            ("log_verbose_level", LogValue::Level(level)) => shown.verbose = u32::try_from(level.0).unwrap_or(u32::MAX),
            ("log_file", LogValue::Text(file)) if file == FILE => {}
            ("log_format", LogValue::Text(form)) if form == FORMAT => {}
            ("log_file", _) => return wrong("cannot be changed: the log goes to the standard error"),
            ("log_format", _) => return wrong("cannot be changed: --log-format decides at the start"),
            ("log_info" | "log_warning" | "log_error", _) => return wrong("must be true or false"),
            ("log_verbose_level", _) => return wrong("must be a whole number, 0 for nothing more"),
            _ => return wrong("is no setting of the log"),
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: Shown = Shown { errors: true, warnings: true, infos: true, verbose: 0 };

    fn change(changes: &str) -> Result<Shown, String> {
        let changes: std::collections::BTreeMap<String, LogValue> = serde_json::from_str(changes).unwrap();
        changed(SHOWN, changes).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_named_changes_and_nothing_else() {
        for (changes, expected) in [
            ("{}", SHOWN),
            (r#"{"log_info": false}"#, Shown { infos: false, ..SHOWN }),
            (r#"{"log_verbose_level": 2, "log_error": false}"#, Shown { verbose: 2, errors: false, ..SHOWN }),
            (r#"{"log_verbose_level": 1.0}"#, Shown { verbose: 1, ..SHOWN }),
            (r#"{"log_warning": null, "log_file": "", "log_format": "default"}"#, SHOWN),
        ] {
            assert_eq!(change(changes), Ok(expected), "{changes}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (changes, expected) in [
            (r#"{"log_info": 1}"#, "log_info must be true or false"),
            (r#"{"log_verbose_level": "high"}"#, "log_verbose_level must be a whole number"),
            (r#"{"log_file": "/etc/passwd"}"#, "log_file cannot be changed"),
            (r#"{"log_format": "ISO8601"}"#, "log_format cannot be changed"),
            (r#"{"log_debug": true}"#, "log_debug is no setting"),
            (r#"{"log_debug": null}"#, "log_debug is no setting"),
        ] {
            let found = change(changes).unwrap_err();
            assert!(found.contains(expected), "{changes}: {found}");
        }
    }
}
