use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::Config;
use selfie_serve::config::MetricsCompat;
use serde_json::{Value, json};

#[test]
fn invented_methods_make_no_metrics_of_their_own() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    for method in ["BREW", "WHISK"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/v1/models", server.url);
        assert_eq!(server.client.request(method, url).send().unwrap().status(), 405);
    }
    let text = server.get("/metrics").send().unwrap().text().unwrap();
    let line = "selfie_http_requests_total{method=\"_OTHER\",route=\"/v1/models\",status=\"405\"} 2";
    assert!(text.contains(line) && !text.contains("BREW"), "{text}");
}

#[test]
fn models_and_server_describe_themselves() {
    let networks =
        [("a", Network::default()), ("b", Network { classes: 0, fixed_batch: Some(2), ..Network::default() })];
    let store = store(&networks);
    Network::default().write("a", &store.path().join("a/12/model.onnx"));
    let server = serve(config(store.path()));
    let get = |path: &str| -> Value { server.get(path).send().unwrap().json().unwrap() };

    let models = get("/v1/models");
    let ids: Vec<&Value> = models["data"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(models["data"][0]["created"].as_u64().unwrap() > 1_000_000_000);
    let idle = json!({"queue_fraction": 0.0, "queue_absolute": 0, "results_pending": 0, "batch_size": 32});
    for (model, capabilities) in [(0, json!(["image_embed", "classify"])), (1, json!(["image_embed"]))] {
        let model = &models["data"][model];
        assert_eq!((&model["backend"], &model["device"]), (&json!("tract"), &json!("cpu")), "{model}");
        assert_eq!(model["capabilities"], capabilities, "{model}");
    }
    assert_eq!(models["data"][0]["stats"], idle);

    let one = get("/v1/models/a");
    assert_eq!((&one["id"], &one["version"], &one["runtime"]), (&json!("a"), &json!(12), &json!("tract")));
    assert_eq!((&one["device"], &one["stats"]), (&json!("cpu"), &idle));
    assert_eq!(one["card"]["input"]["channels"], 3);
    let golden = one["golden"].as_array().unwrap();
    assert!(
        !golden.is_empty()
            && golden.iter().all(|proof| proof["largest_difference"].as_f64() <= proof["tolerance"].as_f64())
    );
    let unknown = server.get("/v1/models/c").send().unwrap();
    assert_eq!(
        (unknown.status().as_u16(), unknown.json::<Value>().unwrap()["error"]["code"].clone()),
        (404, json!("model_not_found"))
    );

    assert_eq!(get("/v2")["name"], "selfie");
    let extensions = get("/v2")["extensions"].to_string();
    let expected = [
        "binary_tensor_data",
        "classification",
        "model_configuration",
        "model_repository",
        "statistics",
        "logging",
        "trace",
    ];
    for extension in expected.into_iter().chain(["image_bytes"]) {
        assert!(extensions.contains(extension), "{extensions}");
    }
    assert_eq!(get("/v2/health/live"), json!({"live": true}));
    assert_eq!(get("/v2/health/ready"), json!({"ready": true}));
    assert_eq!(get("/v2/models/a/ready"), json!({"name": "a", "ready": true}));
    assert_eq!(get("/v2/models/a/versions/12/ready"), json!({"name": "a", "ready": true}));
    assert_eq!(
        get("/v2/models/a"),
        json!({
            "name": "a", "versions": ["12"], "platform": "tract_onnx",
            "inputs": [{"name": "pixel_values", "datatype": "FP32", "shape": [-1, 3, 8, 8]}],
            "outputs": [
                {"name": "embedding", "datatype": "FP32", "shape": [-1, 4]},
                {"name": "logits", "datatype": "FP32", "shape": [-1, 3]},
            ],
        })
    );
    assert_eq!(get("/v2/models/a/versions/12"), get("/v2/models/a"));
    let fixed = get("/v2/models/b");
    assert_eq!(fixed["inputs"][0]["shape"], json!([2, 3, 8, 8]));
    assert_eq!(fixed["outputs"].as_array().unwrap().len(), 1);
}

#[test]
fn the_configuration_says_how_a_model_is_served() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let answer: Value = server.get("/v2/models/net/config").send().unwrap().json().unwrap();
    assert_eq!((&answer["name"], &answer["backend"]), (&json!("net"), &json!("tract")));
    assert_eq!(answer["max_batch_size"], 32);
    assert_eq!(answer["input"][0]["data_type"], "TYPE_FP32");
    assert_eq!(answer["input"][0]["dims"], json!([3, 8, 8]));
    let names: Vec<&Value> = answer["output"].as_array().unwrap().iter().map(|output| &output["name"]).collect();
    assert_eq!(names, ["embedding", "logits"]);
    let same: Value = server.get("/v2/models/net/versions/1/config").send().unwrap().json().unwrap();
    assert_eq!(same, answer);
}

#[test]
fn statistics_count_requests_items_and_batches() {
    let store = store(&[("a", Network::default()), ("b", Network::default())]);
    let server = serve(config(store.path()));
    server.embed(&json!({"model": "a", "input": [base64(&png(1)), base64(&png(2)), base64(&png(3))]}));
    server.json("/v1/embeddings", &json!({"model": "a", "input": base64(b"not an image")}));
    let get = |path: &str| -> Value { server.get(path).send().unwrap().json().unwrap() };
    let all = get("/v2/models/stats");
    let names: Vec<&Value> = all["model_stats"].as_array().unwrap().iter().map(|model| &model["name"]).collect();
    assert_eq!(names, ["a", "b"]);
    let stats = &get("/v2/models/a/stats")["model_stats"][0];
    assert_eq!(&all["model_stats"][0], stats);
    assert_eq!((&stats["version"], &stats["inference_count"]), (&json!("1"), &json!(3)));
    let batches = stats["execution_count"].as_u64().unwrap();
    assert!((1..=3).contains(&batches), "{stats}");
    let times = &stats["inference_stats"];
    for (name, count) in [("success", 1), ("fail", 1), ("queue", 3), ("compute_input", 4), ("cache_hit", 0)] {
        assert_eq!(times[name]["count"], count, "{name} of {times}");
        assert_eq!(times[name]["ns"].as_u64().unwrap() > 0, count > 0, "{name} of {times}");
    }
    assert_eq!(times["compute_infer"]["count"], batches);
    let of_sizes: u64 = stats["batch_stats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|batch| batch["batch_size"].as_u64().unwrap() * batch["compute_infer"]["count"].as_u64().unwrap())
        .sum();
    assert_eq!(of_sizes, 3);
    assert!(stats["last_inference"].as_u64().unwrap() > 1_000_000_000_000);
    assert_eq!(get("/v2/models/b/stats")["model_stats"][0]["inference_count"], 0);
    assert_eq!(server.get("/v2/models/x/stats").send().unwrap().status(), 404);
}

#[test]
fn metrics_count_what_happened() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    server.embed(&json!({"input": [base64(&png(1)), base64(&png(2)), base64(&png(3))]}));
    server.json("/v1/embeddings", &json!({"input": base64(b"not an image")}));
    server.json("/v2/models/nobody/infer", &json!({}));
    let labels = "{model=\"net\",version=\"1\"}";
    for (line, expected) in [
        (format!("selfie_items_total{labels}"), 3.0),
        ("selfie_queue_depth{model=\"net\",priority=\"5\",version=\"1\"}".into(), 0.0),
        (format!("selfie_queue_limit{labels}"), 256.0),
        ("selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"ok\",version=\"1\"}".into(), 1.0),
        ("selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"invalid\",version=\"1\"}".into(), 1.0),
        (
            "selfie_requests_total{api=\"infer\",model=\"_unknown\",outcome=\"invalid\",version=\"_unknown\"}".into(),
            1.0,
        ),
        ("selfie_http_requests_total{method=\"POST\",route=\"/v1/embeddings\",status=\"400\"}".into(), 1.0),
        ("selfie_http_requests_total{method=\"POST\",route=\"/v2/models/{model}/infer\",status=\"404\"}".into(), 1.0),
        ("selfie_stage_duration_seconds_count{model=\"net\",stage=\"wait\",version=\"1\"}".into(), 4.0),
        ("selfie_stage_duration_seconds_count{model=\"net\",stage=\"decode\",version=\"1\"}".into(), 4.0),
        ("selfie_stage_duration_seconds_count{model=\"net\",stage=\"parse\",version=\"1\"}".into(), 1.0),
        ("selfie_stage_duration_seconds_count{model=\"net\",stage=\"encode\",version=\"1\"}".into(), 1.0),
        ("selfie_image_pixels_sum".into(), 3.0 * 20.0 * 15.0),
        ("selfie_image_pixels_bucket{le=\"1024\"}".into(), 3.0),
        ("selfie_model_state{model=\"net\",state=\"READY\",version=\"1\"}".into(), 1.0),
    ] {
        assert_eq!(server.metric(&line), expected, "{line}");
    }
    let batches = server.metric(&format!("selfie_batches_total{labels}"));
    assert_eq!(server.metric(&format!("selfie_batch_wait_seconds_count{labels}")), batches);
    assert!(server.metric(&format!("selfie_batch_wait_seconds_sum{labels}")) > 0.0);
    let file = std::fs::metadata(store.path().join("net/1/model.onnx")).unwrap().len();
    let held = "selfie_model_memory_bytes{device=\"cpu\",model=\"net\",version=\"1\"}";
    assert_eq!(server.metric(held), file as f64, "one session");
}

#[test]
fn under_the_names_of_triton_the_times_of_requests_add_up_however_many_images_they_have() {
    let store = store(&[("net", Network::default())]);
    let options = Config { metrics_compat: MetricsCompat::Triton, cache_bytes: 1 << 20, ..config(store.path()) };
    let server = serve(Config { decode_threads: 1, ..options });
    let embed = |seeds: &[u32]| {
        let images: Vec<String> = seeds.iter().map(|seed| base64(&png(*seed))).collect();
        server.embed(&json!({"input": images}));
    };
    for seeds in (0..40).collect::<Vec<_>>().chunks(8) {
        embed(seeds);
    }
    embed(&[40]);
    embed(&[0]);
    let value = |name: &str| server.metric(&format!("{name}{{model=\"net\",version=\"1\"}}"));
    for (name, expected) in [
        ("nv_inference_request_success", 7.0),
        ("nv_inference_count", 41.0),
        ("nv_cache_num_hits_per_model", 1.0),
        ("nv_cache_num_misses_per_model", 41.0),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
    let parts = ["queue", "compute_input", "compute_infer", "compute_output"]
        .map(|part| value(&format!("nv_inference_{part}_duration_us")));
    let request = value("nv_inference_request_duration_us");
    assert!(parts[..3].iter().all(|us| *us > 0.0) && parts.iter().sum::<f64>() <= request, "{parts:?} of {request}");
}

#[test]
fn head_is_answered_as_get_is_without_the_body() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    for (path, status) in [("/v2/health/ready", 200), ("/v2/models/net", 200), ("/v2/models/x", 404), ("/console", 200)]
    {
        let get = server.get(path).send().unwrap();
        let head = server.client.head(format!("{}{path}", server.url)).send().unwrap();
        assert_eq!((head.status(), get.status().as_u16()), (get.status(), status), "{path}");
        assert_eq!(head.headers()["content-type"], get.headers()["content-type"], "{path}");
        assert!(head.bytes().unwrap().is_empty() && !get.bytes().unwrap().is_empty(), "{path}");
    }
    assert_eq!(server.client.head(format!("{}/v1/embeddings", server.url)).send().unwrap().status(), 405);
    let counted = "selfie_http_requests_total{method=\"HEAD\",route=\"/v2/health/ready\",status=\"200\"} ";
    assert_eq!(server.metric(counted), 1.0);
}

#[test]
fn every_answer_has_a_request_id() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let id = |given: Option<&str>, path: &str| {
        let request = server.get(path);
        let request = given.into_iter().fold(request, |request, id| request.header("x-request-id", id));
        request.send().unwrap().headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id(Some("mine-1"), "/v2"), "mine-1");
    assert_eq!(id(Some("mine-2"), "/nowhere"), "mine-2");
    assert_ne!(id(None, "/v2"), id(None, "/v2"));
    assert_ne!(id(Some(&"x".repeat(500)), "/v2").len(), 500);
}

#[test]
fn every_answer_says_how_long_it_took() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    for path in ["/v2/health/live", "/v1/models", "/metrics", "/nowhere"] {
        assert_eq!(stages(&server.get(path).send().unwrap()), ["total"], "{path}");
    }
    let post = |path: &str, body: &str| {
        let request = server.post(path).header("content-type", "application/json");
        request.body(body.to_owned()).send().unwrap()
    };
    let bad_image = json!({"input": base64(b"not an image")}).to_string();
    for (path, body, expected) in [
        ("/v1/embeddings", "{", vec!["receive", "total"]),
        ("/v1/embeddings", bad_image.as_str(), vec!["receive", "parse", "total"]),
        ("/v2/models/net/infer", "{", vec!["receive", "total"]),
        ("/v2/models/nobody/infer", "{}", vec!["total"]),
    ] {
        let response = post(path, body);
        assert!(response.status().is_client_error(), "{path} {body}");
        assert_eq!(stages(&response), expected, "{path} {body}");
    }
}

#[test]
fn the_description_of_the_api_holds_what_is_there() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let document: Value = server.get("/openapi.json").send().unwrap().json().unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let methods: Vec<String> = methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        let url = format!(
            "{}{}",
            server.url,
            path.replace("{model}", "net").replace("{version}", "1").replace("{label}", "x")
        );
        let response = server.client.delete(url).send().unwrap();
        assert_eq!(response.status(), 405, "{path}");
        assert_eq!(response.headers()["allow"], methods.join(", ").replace("GET", "GET, HEAD"), "{path}");
    }
}
