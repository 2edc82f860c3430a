//! The settings of traces, which change while the server runs. They are the server's; those of a model are the same.
//!
//! # Source
//! Triton's trace extension. Its files of traces are not written: traces go to the collector that the options name.

use crate::Error;
use crate::trace::{Sampling, Tracer};
use std::collections::BTreeMap;

/// The settings by their names, each with its values.
pub type TraceSettings = BTreeMap<&'static str, Vec<String>>;

const OFF: &str = "OFF";
const TIMESTAMPS: &str = "TIMESTAMPS";

/// Settings that have one value here, and why.
const FIXED: [(&str, &str, &str); 4] = [
    ("trace_count", "-1", "there is no end to traces"),
    ("log_frequency", "0", "traces go to the collector each second"),
    ("trace_file", "", "traces go to the collector and into no file"),
    ("trace_mode", "opentelemetry", "it is the one that there is"),
];

/// The settings now.
pub fn trace_settings(tracer: Option<&Tracer>) -> TraceSettings {
    let Sampling { is_on, one_in } = tracer.map_or(Sampling { is_on: false, one_in: 0 }, Tracer::sampling);
    let level = if is_on { TIMESTAMPS } else { OFF };
    let mut settings: TraceSettings = FIXED.iter().map(|(name, value, _)| (*name, vec![(*value).to_owned()])).collect();
    settings.insert("trace_level", vec![level.to_owned()]);
    settings.insert("trace_rate", vec![one_in.to_string()]);
    settings
}

/// Changes what is named, all or nothing, and gives the settings then. A setting without a value gets back the one of the start.
///
/// # Errors
/// [`Error::Invalid`] names the first setting that is unknown or has a value that cannot be.
pub fn update_trace(
    tracer: Option<&Tracer>,
    changes: impl IntoIterator<Item = (String, Vec<String>)>,
) -> Result<TraceSettings, Error> {
    let now = tracer.map_or(Sampling { is_on: false, one_in: 0 }, Tracer::sampling);
    let start = tracer.map_or(now, Tracer::sampling_at_start);
    let wanted = changed(now, start, changes)?;
    match tracer {
        Some(tracer) if wanted != now => {
            tracer.sample(wanted);
            tracing::info!("traces now: {wanted:?}");
        }
        None if wanted.is_on => {
            let reason = "trace_level cannot be TIMESTAMPS without a collector; start the server with --otlp-endpoint";
            return Err(Error::invalid("trace_level", reason));
        }
        _ => {}
    }
    Ok(trace_settings(tracer))
}

/// As [`update_trace`] for a model, of which nothing can be changed alone.
///
/// # Errors
/// [`Error::Invalid`] when something is named.
pub fn update_model_trace(
    tracer: Option<&Tracer>,
    changes: impl IntoIterator<Item = (String, Vec<String>)>,
) -> Result<TraceSettings, Error> {
    match changes.into_iter().next() {
        None => Ok(trace_settings(tracer)),
        Some((name, _)) => {
            let reason = format!("{name} is one of the server: a model has none of its own; change it without a model");
            Err(Error::invalid(name, reason))
        }
    }
}

fn changed(
    mut wanted: Sampling,
    start: Sampling,
    changes: impl IntoIterator<Item = (String, Vec<String>)>,
) -> Result<Sampling, Error> {
    for (name, values) in changes {
        let wrong = |what: &str| Err(Error::invalid(name.as_str(), format!("{name} {what}")));
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let fixed = FIXED.iter().find(|(fixed, ..)| *fixed == name);
        match (name.as_str(), values.as_slice(), fixed) {
            ("trace_level", [], _) => wanted.is_on = start.is_on,
            ("trace_level", [OFF], _) => wanted.is_on = false,
            ("trace_level", [TIMESTAMPS], _) => wanted.is_on = true,
            ("trace_level", ..) => return wrong("must be OFF or TIMESTAMPS; tensors are no part of traces here"),
            ("trace_rate", [], _) => wanted.one_in = start.one_in,
            ("trace_rate", [text], _) => match text.parse() {
                Ok(one_in) => wanted.one_in = one_in,
                Err(_) => {
                    return wrong(
                        "must be a whole number: one request in so many, 0 for none but those whose sender asks",
                    );
                }
            },
            ("trace_rate", ..) => return wrong("must be one number"),
            (_, [], Some(_)) => {}
            (_, [found], Some((_, value, _))) if found == value => {}
            (_, _, Some((_, value, why))) => return wrong(&format!("must be \"{value}\": {why}")),
            (_, _, None) => return wrong("is no setting of traces"),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Sampling = Sampling { is_on: true, one_in: 20 };

    fn change(changes: &[(&str, &[&str])]) -> Result<Sampling, String> {
        let now = Sampling { is_on: false, one_in: 3 };
        let owned = changes.iter().map(|(name, values)| {
            ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        });
        changed(now, START, owned).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_named_changes_and_what_has_no_value_is_as_at_the_start() {
        let sampling = |is_on, one_in| Ok(Sampling { is_on, one_in });
        assert_eq!(change(&[]), sampling(false, 3));
        assert_eq!(change(&[("trace_level", &["TIMESTAMPS"]), ("trace_rate", &["0"])]), sampling(true, 0));
        assert_eq!(change(&[("trace_level", &[]), ("trace_rate", &[])]), sampling(true, 20));
        assert_eq!(
            change(&[("trace_count", &["-1"]), ("trace_file", &[]), ("log_frequency", &["0"])]),
            sampling(false, 3)
        );
    }

    #[test]
    fn what_cannot_be_is_named() {
        let cases: [(&str, &[&str], &str); 6] = [
            ("trace_level", &["TIMESTAMPS", "TENSORS"], "must be OFF or TIMESTAMPS"),
            ("trace_rate", &["often"], "must be a whole number"),
            ("trace_rate", &["1", "2"], "must be one number"),
            ("trace_count", &["5"], "must be \"-1\""),
            ("trace_file", &["/tmp/x"], "no file"),
            ("trace_colour", &["red"], "is no setting"),
        ];
        for (name, values, expected) in cases {
            let found = change(&[(name, values)]).unwrap_err();
            assert!(found.contains(name) && found.contains(expected), "{name} {values:?}: {found}");
        }
    }
}
