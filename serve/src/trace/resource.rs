//! Who sends the spans. OpenTelemetry has two variables for what a program cannot know about itself.
//!
//! | variable | what it says |
//! |---|---|
//! | `OTEL_SERVICE_NAME` | the name of the service, otherwise `selfie` |
//! | `OTEL_RESOURCE_ATTRIBUTES` | `key=value,key=value`, values with `%` codes: the pod, the environment, .. |

use super::TraceId;
use super::proto::Resource;
use super::span::attribute;
use crate::Error;
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// What the variables say, over what is known without them.
///
/// # Errors
/// [`Error::Option`] for attributes that cannot be read.
pub fn resource(variable: impl Fn(&str) -> Option<String>) -> Result<Resource, Error> {
    let mut attributes = BTreeMap::from([
        ("service.name".to_owned(), "selfie".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        // Any unique text will do, as these ids are.
        ("service.instance.id".to_owned(), TraceId::random().to_string()),
    ]);
    let variable = |name| variable(name).filter(|text| !text.trim().is_empty());
    if let Some(text) = variable(RESOURCE_ATTRIBUTES) {
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = read(pair).ok_or_else(|| {
                let reason = format!("\"{pair}\" is no key=value with UTF-8 in % codes");
                Error::Option { option: RESOURCE_ATTRIBUTES, reason }
            })?;
            attributes.insert(key, value);
        }
    }
    if let Some(name) = variable(SERVICE_NAME) {
        attributes.insert("service.name".to_owned(), name);
    }
    let attributes = attributes.into_iter().map(|(key, value)| attribute(&key, value.as_str())).collect();
    Ok(Resource { attributes })
}

fn read(pair: &str) -> Option<(String, String)> {
    let (key, value) = pair.split_once('=').filter(|(key, _)| !key.trim().is_empty())?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    Some((key.trim().to_owned(), value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::proto::any_value::Value;
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Result<BTreeMap<String, String>, Error> {
        let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, text)| (*text).to_owned());
        let text = |value| match value {
            Some(Value::StringValue(text)) => text,
            other => panic!("{other:?}"),
        };
        let pairs = resource(variable)?.attributes.into_iter();
        Ok(pairs.map(|pair| (pair.key, text(pair.value.and_then(|value| value.value)))).collect())
    }

    #[test]
    fn the_variables_win_over_what_is_known() {
        let name = |variables: &[(&str, &str)]| found(variables).unwrap()["service.name"].clone();
        assert_eq!(name(&[]), "selfie");
        assert_eq!(name(&[(SERVICE_NAME, " ")]), "selfie");
        assert_eq!(name(&[(RESOURCE_ATTRIBUTES, "service.name=photos")]), "photos");
        assert_eq!(name(&[(RESOURCE_ATTRIBUTES, "service.name=photos"), (SERVICE_NAME, "shop")]), "shop");
        let all = found(&[(RESOURCE_ATTRIBUTES, "k8s.pod.name = a-1 ,, place=Z%C3%BCrich%2C%20CH")]).unwrap();
        assert_eq!((all["k8s.pod.name"].as_str(), all["place"].as_str()), ("a-1", "Zürich, CH"));
        assert_ne!(found(&[]).unwrap()["service.instance.id"], all["service.instance.id"]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in ["pod", "=a", "pod=%ff"] {
            let message = found(&[(RESOURCE_ATTRIBUTES, text)]).unwrap_err().to_string();
            assert!(message.contains(RESOURCE_ATTRIBUTES) && message.contains(text), "{message}");
        }
    }
}
