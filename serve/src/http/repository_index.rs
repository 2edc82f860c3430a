//! `POST /v2/repository/index`: every version that the server knows, with its state and why it is in it.
//!
//! # Source
//! Triton's model repository extension.

use super::envelope::KServe;
use super::{App, body, resource};
use crate::Error;
use crate::engine::{Aside, Slot, State};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v2/repository/index", "POST").route(web::post().to(index)));
}

#[derive(Default, Deserialize)]
struct Request {
    /// Whether only versions that answer are wanted.
    #[serde(default)]
    ready: bool,
}

#[derive(Debug, PartialEq, Serialize)]
struct Version<'a> {
    name: &'a str,
    version: String,
    state: &'static str,
    reason: &'a str,
}

async fn index(app: Data<App>, http: HttpRequest, payload: Payload) -> Result<HttpResponse, KServe> {
    let body = body::read(&http, payload, app.config.max_body_bytes).await?;
    let request: Request = match body.is_empty() {
        true => Request::default(),
        false => serde_json::from_slice(&body)
            .map_err(|error| Error::invalid("", format!("the JSON body is wrong: {error}")))?,
    };
    let slots = app.engine.slots();
    let versions = slots.iter().flat_map(|(name, slot)| versions(name, slot));
    let versions: Vec<Version<'_>> = versions.filter(|version| !request.ready || version.state == "READY").collect();
    Ok(HttpResponse::Ok().json(versions))
}

/// The version that answers and the one that does not. When both are the same, because its file has changed, it is one entry
/// with the reason of the one that does not.
fn versions<'a>(name: &'a str, slot: &'a Slot) -> Vec<Version<'a>> {
    let served = slot.served.as_ref().map(|served| served.version);
    listed(name, served, slot.aside.as_ref())
}

fn listed<'a>(name: &'a str, served: Option<u64>, aside: Option<&'a Aside>) -> Vec<Version<'a>> {
    let reason = aside.map_or("", |aside| match &aside.state {
        State::Loading => "",
        State::Refused(reason) => reason,
        State::Unloaded => "unloaded",
    });
    let mut versions = Vec::new();
    if let Some(version) = served {
        let same = aside.is_some_and(|aside| aside.version == version);
        let reason = if same { reason } else { "" };
        versions.push(Version { name, version: version.to_string(), state: "READY", reason });
    }
    if let Some(aside) = aside.filter(|aside| served != Some(aside.version)) {
        let state = match aside.state {
            State::Loading => "LOADING",
            State::Refused(_) | State::Unloaded => "UNAVAILABLE",
        };
        versions.push(Version { name, version: aside.version.to_string(), state, reason });
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_listed_once_with_its_reason() {
        let refused = |version| Aside { version, state: State::Refused("no card".into()) };
        let cases = [
            (Some(1), None, vec![("1", "READY", "")]),
            (Some(1), Some(refused(2)), vec![("1", "READY", ""), ("2", "UNAVAILABLE", "no card")]),
            (Some(1), Some(refused(1)), vec![("1", "READY", "no card")]),
            (Some(1), Some(Aside { version: 1, state: State::Loading }), vec![("1", "READY", "")]),
            (None, Some(Aside { version: 3, state: State::Loading }), vec![("3", "LOADING", "")]),
            (None, Some(Aside { version: 3, state: State::Unloaded }), vec![("3", "UNAVAILABLE", "unloaded")]),
            (None, None, vec![]),
        ];
        for (served, aside, expected) in cases {
            let found = listed("m", served, aside.as_ref());
            let found: Vec<_> = found.iter().map(|item| (item.version.as_str(), item.state, item.reason)).collect();
            assert_eq!(found, expected, "{served:?} {aside:?}");
        }
    }
}
