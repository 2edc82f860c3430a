//! What signals do to `selfie serve`.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};
use support::{PATIENCE, Serving, client};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");

fn add(store: &Path, version: &str) {
    let folder = store.join("net").join(version);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(MODEL, folder.join("model.onnx")).unwrap();
}

#[test]
fn sighup_loads_what_is_new_and_a_second_sigterm_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "1");
    let mut serving =
        Serving::start(folder.path(), &["--models", ".", "--runtime", "tract", "--drain-delay-ms", "3600000"]);
    let client = client();
    let wait_for = |path: &str, expected: u16| {
        let started = Instant::now();
        while client.get(format!("{}{path}", serving.address)).send().unwrap().status() != expected {
            assert!(started.elapsed() < PATIENCE, "{path} is never answered with {expected}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    add(folder.path(), "2");
    wait_for("/v2/models/net/versions/2/ready", 404);
    serving.signal("HUP");
    wait_for("/v2/models/net/versions/2/ready", 200);
    serving.signal("TERM");
    wait_for("/v2/health/ready", 503);
    serving.signal("TERM");
    let (code, took) = serving.wait();
    assert_eq!(code, -1, "it ends as any process does that gets the signal, not with a code of its own");
    assert!(took < PATIENCE / 2, "{took:?}");
}
