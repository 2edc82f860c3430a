use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::{Config, Server};
use serde_json::{Value, json};

#[test]
fn keys_open_inference_and_administration_apart() {
    let store = store(&[("net", Network::default())]);
    let keys = tempfile::tempdir().unwrap();
    let file = |name: &str, key: &str| {
        let path = keys.path().join(name);
        std::fs::write(&path, format!("# keys\n{key}\n")).unwrap();
        Some(path)
    };
    let (api_keys, admin_keys) = (file("api", "user"), file("admin", "root"));
    let server = serve(Config { admin: true, api_keys, admin_keys, ..config(store.path()) });
    let post = |path: &str, key: Option<&str>| {
        let request = server.post(path).json(&json!({"input": base64(&png(1))}));
        key.into_iter().fold(request, |request, key| request.bearer_auth(key)).send().unwrap()
    };
    let load = "/v2/repository/models/net/load";
    let spelled = "/v2/repository/%6Dodels/net/load";
    for (path, statuses) in [
        ("/v1/embeddings", [401, 200, 200, 401]),
        ("/v2/repository/index", [401, 200, 200, 401]),
        (load, [401, 403, 200, 401]),
        (spelled, [401, 403, 200, 401]),
    ] {
        let found = [None, Some("user"), Some("root"), Some("x")].map(|key| post(path, key).status().as_u16());
        assert_eq!(found, statuses, "{path}");
    }
    let response = post("/v1/embeddings", None);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert!(response.headers().contains_key("x-request-id"));
    let answer: Value = response.json().unwrap();
    let error = &answer["error"];
    assert_eq!((&error["type"], &error["code"]), (&json!("authentication_error"), &json!("invalid_api_key")));
    assert!(post(load, None).json::<Value>().unwrap()["error"].is_string());
    for (path, status) in [("/v2/health/live", 200), ("/v2/health/ready", 200), ("/metrics", 401), ("/v1/models", 401)]
    {
        assert_eq!(server.get(path).send().unwrap().status(), status, "{path}");
    }
}

#[test]
fn pages_of_other_sites_do_not_administer() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { admin: true, ..config(store.path()) });
    let own = format!("http://{}", server.addr);
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "https://evil.example", 403),
        ("host", "evil.example", 403),
        ("origin", own.as_str(), 200),
        ("sec-fetch-site", "same-origin", 200),
    ] {
        for action in ["unload", "load"] {
            let request = server.post(&format!("/v2/repository/models/net/{action}")).header(name, value);
            assert_eq!(request.body("{}").send().unwrap().status(), status, "{action}, {name}: {value}");
        }
        assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1, "{name}: {value}");
    }
}

#[test]
fn a_server_with_unusable_keys_does_not_start() {
    let store = store(&[("net", Network::default())]);
    let empty = store.path().join("empty-file");
    std::fs::write(&empty, "# nothing\n").unwrap();
    let cases = [
        (Config { api_keys: Some(store.path().join("nowhere")), ..config(store.path()) }, "nowhere"),
        (Config { api_keys: Some(empty.clone()), ..config(store.path()) }, "holds no key"),
        (Config { admin: true, api_keys: Some(empty), ..config(store.path()) }, "admin_keys"),
    ];
    for (config, expected) in cases {
        let message = Server::bind(config).err().unwrap().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
