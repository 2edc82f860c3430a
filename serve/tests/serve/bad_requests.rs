use super::client::*;
use super::compressed::gzip;
use super::network::{Network, store};
use super::pictures::*;
use reqwest::blocking::multipart::Form;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

fn server(change: impl FnOnce(&mut selfie_serve::Config)) -> (tempfile::TempDir, Running) {
    let store = store(&[("net", Network::default()), ("vectors", Network { classes: 0, ..Network::default() })]);
    let mut config = config(store.path());
    change(&mut config);
    let running = serve(config);
    (store, running)
}

#[test]
fn a_bad_image_is_refused_with_the_reason_and_harms_nobody() {
    let (_store, server) = server(|_| ());
    let (png, jpeg) = (png(1), jpeg(1));
    let webp = encode(&picture(1, 9, 9), image::ImageFormat::WebP);
    let bmp = encode(&picture(1, 9, 9), image::ImageFormat::Bmp);
    let cases: [(&str, Vec<u8>, &str); 13] = [
        ("empty", vec![], "is empty"),
        ("text", b"hello, world".to_vec(), "is not an image that is read here"),
        ("another format", b"II*\0aaaaaaaaaaaaaaaa".to_vec(), "is a TIFF, which is not read here; send JPEG, PNG"),
        ("PNG cut", png[..png.len() / 2].to_vec(), "readable PNG"),
        ("PNG head", png[..20].to_vec(), "readable PNG"),
        ("JPEG cut", jpeg[..jpeg.len() - 40].to_vec(), "truncated JPEG"),
        ("JPEG head", jpeg[..30].to_vec(), "JPEG"),
        ("WebP cut", webp[..webp.len() / 2].to_vec(), "readable WebP"),
        ("BMP cut", bmp[..bmp.len() - 20].to_vec(), "readable BMP"),
        ("PNG damaged", [&png[..60], &[0; 40], &png[100..]].concat(), "readable PNG"),
        ("huge", huge_header(), "more than the 50000000 pixels"),
        ("animated", animated_gif(), "animated GIF"),
        ("frame", include_bytes!("../../../fuzz/seeds/image/screen.gif").to_vec(), "beyond its screen of 1 x 1"),
    ];
    for (name, bytes, expected) in cases {
        let body = json!({"model": "net", "input": [base64(&png), base64(&bytes)]});
        let response = server.json("/v1/embeddings", &body);
        let status = response.status();
        let answer: Value = response.json().unwrap();
        let error = &answer["error"];
        let message = error["message"].as_str().unwrap_or_default();
        assert!(
            status == 400 && message.starts_with("image 1: ") && message.contains(expected),
            "{name}: {status} {answer}"
        );
        assert_eq!((&error["type"], &error["param"]), (&json!("invalid_request_error"), &json!("input[1]")), "{name}");
    }
    assert_eq!(server.embed(&json!({"model": "net", "input": base64(&png)})).len(), 1);
}

#[test]
fn a_bad_request_is_refused_with_the_reason() {
    let (_store, server) = server(|_| ());
    let image = base64(&png(1));
    let cases = [
        ("no model", "/v1/embeddings", json!({"input": image}), 400, "model is missing"),
        ("unknown model", "/v1/embeddings", json!({"model": "x", "input": image}), 404, "here are: net, vectors"),
        ("no input", "/v1/embeddings", json!({"model": "net"}), 400, "input"),
        ("nothing in input", "/v1/embeddings", json!({"model": "net", "input": []}), 400, "no image"),
        ("text", "/v1/embeddings", json!({"model": "net", "input": "a red car"}), 400, "neither base64"),
        ("URL", "/v1/embeddings", json!({"model": "net", "input": "http://127.0.0.1/a.png"}), 400, "is a URL"),
        ("format", "/v1/embeddings", json!({"model": "net", "input": image, "encoding_format": "x"}), 400, "float"),
        ("dimensions 0", "/v1/embeddings", json!({"model": "net", "input": image, "dimensions": 0}), 400, "1 to 4"),
        ("dimensions 5", "/v1/embeddings", json!({"model": "net", "input": image, "dimensions": 5}), 400, "1 to 4"),
        ("too many", "/v1/embeddings", json!({"model": "net", "input": vec![&image; 129]}), 413, "at most 128"),
        ("both", "/v1/embeddings", json!({"model": "net", "input": image, "messages": []}), 400, "both there"),
        ("text", "/v1/embeddings", json!({"model": "net", "input": [{"text": "a car"}]}), 400, "list of strings"),
        ("chat", "/v1/embeddings", json!({"model": "net", "messages": [{"content": "a car"}]}), 400, "only images"),
        ("no classes", "/v1/classify", json!({"model": "vectors", "input": image}), 400, "no class scores"),
        ("top_k 0", "/v1/classify", json!({"model": "net", "input": image, "top_k": 0}), 400, "at least 1"),
        ("unknown", "/v1/similarity", json!({"model": "x", "input": image}), 404, "here are: net, vectors"),
        ("nowhere", "/v1/nowhere", json!({}), 404, "nothing is at"),
    ];
    for (name, path, body, status, expected) in cases {
        let response = server.json(path, &body);
        let found = response.status();
        let answer: Value = response.json().unwrap();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(found == status && message.contains(expected), "{name}: {found} {answer}");
    }
}

#[test]
fn json_that_takes_far_more_memory_than_it_is_long_is_refused() {
    let (_store, server) = server(|_| ());
    let post = |path: &str, body: String| {
        let response = server.post(path).header("content-type", "application/json").body(body).send().unwrap();
        (response.status().as_u16(), response.text().unwrap())
    };
    let nest = format!("{}1{},", "[".repeat(100), "]".repeat(100));
    let nested = format!(r#"{{"model": "net", "input": "{}", "more": [{}1]}}"#, base64(&png(1)), nest.repeat(700));
    for path in [
        "/v1/embeddings",
        "/v1/embeddings?normalized=true",
        "/v1/classify",
        "/v1/similarity",
        "/v1/search",
        "/predict",
        "/v2/repository/index",
    ] {
        let (status, answer) = post(path, nested.clone());
        assert!(status == 400 && answer.contains("more than 65536 lists and objects; send fewer"), "{path}: {answer}");
    }
    let outputs = r#"{"name": ""},"#.repeat(70_000);
    let (status, answer) = post("/v2/models/net/infer", format!(r#"{{"inputs": [], "outputs": [{outputs}{{}}]}}"#));
    assert!(status == 400 && answer.contains("more than 65536 objects; send fewer"), "{status} {answer}");
}

#[test]
fn the_most_images_of_a_request_are_answered_in_the_longest_form_of_json() {
    let (_store, server) = server(|_| ());
    let part = json!({"type": "image_url", "image_url": {"url": base64(&png(1)), "detail": "low"}});
    let conversation =
        json!([{"role": "system", "content": [{"type": "text", "text": ""}]}, {"role": "user", "content": [part]}]);
    assert_eq!(server.embed(&json!({"model": "net", "messages": vec![conversation; 128]})).len(), 128);
}

#[test]
fn a_body_of_the_wrong_kind_is_refused() {
    let (_store, server) = server(|config| config.max_body_bytes = 10_000);
    let post =
        |kind: &str, body: Vec<u8>| server.post("/v1/embeddings?model=net").header("content-type", kind).body(body);
    // Sent in one piece, as the client's own forms are not: the server does not wait long for one that it has refused.
    let large_form =
        format!("--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{}\r\n--x--\r\n", "x".repeat(20_000));
    let cases = [
        ("not JSON", post("application/json", b"{\"input\"".to_vec()), 400),
        ("not UTF-8", post("application/json", b"{\"input\": \"\xff\"}".to_vec()), 400),
        ("a form", post("application/x-www-form-urlencoded", b"input=1".to_vec()), 415),
        ("text", post("text/plain", b"1".to_vec()), 415),
        ("no type", server.post("/v1/embeddings").body("1"), 400),
        ("unknown encoding", post("application/json", b"1".to_vec()).header("content-encoding", "br"), 415),
        ("damaged encoding", post("application/json", b"1".to_vec()).header("content-encoding", "gzip"), 400),
        ("a bomb", post("image/png", gzip(&[0; 1_000_000])).header("content-encoding", "gzip"), 413),
        ("large", post("image/png", vec![0; 10_001]), 413),
        ("a large form", post("multipart/form-data; boundary=x", large_form.into_bytes()), 413),
        ("no boundary", post("multipart/form-data", b"1".to_vec()), 400),
        ("a broken form", post("multipart/form-data; boundary=x", b"--x\r\nnothing".to_vec()), 400),
        ("a form without files", server.post("/v1/embeddings").multipart(Form::new().text("model", "net")), 400),
    ];
    for (name, request, status) in cases {
        let response = request.send().unwrap();
        let found = response.status();
        let answer: Value = response.json().unwrap();
        assert!(found == status && answer["error"]["message"].is_string(), "{name}: {found} {answer}");
    }
}

#[test]
fn the_type_of_a_body_is_known_however_it_is_written() {
    let (_store, server) = server(|_| ());
    let tensor = json!({"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": [base64(&png(1))]});
    let (image, infer) = (json!({"input": base64(&png(1))}), json!({"inputs": [tensor]}));
    let part = b"--x\r\ncontent-disposition: form-data; name=images\r\ncontent-type: application/octet-stream\r\n\r\n";
    let form = [part.as_slice(), png(1).as_slice(), b"\r\n--x--\r\n"].concat();
    let (embed, infer_path) = ("/v1/embeddings?model=net", "/v2/models/net/infer");
    for (path, kind, body) in [
        (embed, "Application/JSON; Charset=UTF-8", image.to_string().into_bytes()),
        (embed, "IMAGE/PNG", png(1)),
        (embed, "Multipart/Form-Data; boundary=x", form),
        (infer_path, "APPLICATION/JSON", infer.to_string().into_bytes()),
        (infer_path, "application/x-www-form-urlencoded", infer.to_string().into_bytes()),
    ] {
        let response = server.post(path).header("content-type", kind).body(body).send().unwrap();
        assert_eq!(response.status(), 200, "{kind}: {}", response.text().unwrap());
    }
}

#[test]
fn a_body_without_a_length_is_cut_at_the_limit() {
    let (_store, server) = server(|config| config.max_body_bytes = 10_000);
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head =
        "POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..20 {
        // The server may answer and close before everything is written.
        if stream.write_all(format!("3e8\r\n{}\r\n", "x".repeat(1000)).as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[test]
fn other_methods_and_paths_are_refused_in_the_words_of_their_api() {
    let (_store, server) = server(|_| ());
    for (path, allow) in [("/v1/embeddings", "POST"), ("/v1/classify", "POST"), ("/v2/models/net/infer", "POST")] {
        let response = server.get(path).send().unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["allow"].to_str().unwrap()), (405, allow), "{path}");
    }
    for path in ["/v1/models", "/v2", "/v2/health/ready", "/v2/models/net", "/v2/models/net/ready", "/metrics"] {
        let response = server.post(path).send().unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["allow"].to_str().unwrap()),
            (405, "GET, HEAD"),
            "{path}"
        );
    }
    for path in ["/v2/nothing", "/v2/models/x", "/v2/models/x/ready", "/v2/models/net/versions/2"] {
        let response = server.get(path).send().unwrap();
        let status = response.status();
        let answer: Value = response.json().unwrap();
        assert!(status == 404 && answer["error"].is_string(), "{path}: {status} {answer}");
    }
    assert_eq!(server.get("/v2/models/net/versions/x").send().unwrap().status(), 400);
    assert!(server.get("/nothing").send().unwrap().json::<Value>().unwrap()["error"]["message"].is_string());
}
