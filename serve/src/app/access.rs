//! Who may ask for what: keys for inference and keys for administration, as `Authorization: Bearer KEY`.
//!
//! Health, the description of the API and the files of the console are open. Everything else needs a key of `--api-keys`, when there is such a file;
//! loading and unloading, and the settings of the log and of traces, need one of `--admin-keys`, which is good for everything.

use super::keys::Keys;
use crate::{Config, Error};

/// What answers without a key: health, the description of the API and the files of its page and of the console. A slash at the end
/// stands for all that is below.
const OPEN: [&str; 9] = [
    "/",
    "/console",
    "/console/",
    "/v2/health/",
    "/openapi.json",
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
    "/grpc.health.v1.Health/",
    "/docs",
];

/// The keys of a server.
pub struct Access {
    inference: Option<Keys>,
    administration: Option<Keys>,
}

impl Access {
    /// Reads the files that the options name.
    ///
    /// # Errors
    /// A file cannot be read or holds no key.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let inference = config.api_keys.as_deref().map(|path| Keys::open("api_keys", path)).transpose()?;
        let administration = config.admin_keys.as_deref().map(|path| Keys::open("admin_keys", path)).transpose()?;
        Ok(Self { inference, administration })
    }

    /// Whether a request may go on to its route.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] without a key that is known.
    pub fn inference(&self, path: &str, authorization: Option<&str>) -> Result<(), Error> {
        let key = authorization.and_then(key);
        if is_open(path) || self.inference.is_none() || holds(&self.inference, key) || holds(&self.administration, key)
        {
            return Ok(());
        }
        Err(unknown(key))
    }

    /// Whether a request may load and unload. The handlers ask, since only they know for sure what was asked for: a path can be
    /// written in many ways.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] without a key that is known, [`Error::Forbidden`] with a key for inference.
    pub fn administration(&self, authorization: Option<&str>) -> Result<(), Error> {
        let key = authorization.and_then(key);
        if self.administration.is_none() || holds(&self.administration, key) {
            return Ok(());
        }
        if holds(&self.inference, key) {
            return Err(Error::Forbidden {
                reason: "this key is for inference; models are loaded with another".into(),
            });
        }
        Err(unknown(key))
    }
}

fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| path == *open || (open.len() > 1 && open.ends_with('/') && path.starts_with(open)))
}

fn holds(keys: &Option<Keys>, key: Option<&str>) -> bool {
    key.zip(keys.as_ref()).is_some_and(|(key, keys)| keys.contain(key))
}

fn unknown(key: Option<&str>) -> Error {
    let reason = match key {
        None => "a key is missing; send it as \"Authorization: Bearer KEY\"",
        Some(_) => "the key is not known here",
    };
    Error::Unauthorized { reason }
}

/// The key in an `Authorization`.
///
/// # Source
/// RFC 6750, section 2.1; the scheme's case does not matter.
fn key(authorization: &str) -> Option<&str> {
    let (scheme, key) = authorization.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: &str = "/v2/repository/models/m/load";

    #[test]
    fn each_key_opens_its_own_doors() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, key: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, key).unwrap();
            Some(path)
        };
        let (api_keys, admin_keys) = (file("api", "user\n"), file("admin", "root\n"));
        let access = |api: bool, admin: bool| {
            let config = Config {
                api_keys: api_keys.clone().filter(|_| api),
                admin_keys: admin_keys.clone().filter(|_| admin),
                ..Config::default()
            };
            Access::open(&config).unwrap()
        };
        let status = |access: &Access, path: &str, value: Option<&str>| {
            let passed = access.inference(path, value);
            let passed = if path == LOAD { passed.and_then(|()| access.administration(value)) } else { passed };
            passed.map_or_else(|error| error.status(), |()| 200)
        };
        let (user, root, other) = (Some("Bearer user"), Some("bearer  root"), Some("Bearer x"));
        let (health, console, docs, infer) = ("/v2/health/ready", "/console/console.js", "/docs", "/v1/embeddings");
        let (live, call) = (OPEN[5], "/inference.GRPCInferenceService/ServerLiveness");
        let both = access(true, true);
        for (path, statuses) in [
            (health, [200; 5]),
            (console, [200; 5]),
            (docs, [200; 5]),
            ("/docs/x", [401, 200, 200, 401, 401]),
            (live, [200; 5]),
            (call, [401, 200, 200, 401, 401]),
            (infer, [401, 200, 200, 401, 401]),
            (LOAD, [401, 403, 200, 401, 401]),
        ] {
            let found = [None, user, root, other, Some("Basic user")].map(|value| status(&both, path, value));
            assert_eq!(found, statuses, "{path}");
        }
        let admin_only = access(false, true);
        assert_eq!([infer, LOAD].map(|path| status(&admin_only, path, None)), [200, 401]);
        assert_eq!(status(&access(false, false), LOAD, None), 200);
    }
}
