use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::Config;
use serde_json::json;

const HITS: &str = "selfie_cache_hits_total{model=\"net\",version=\"1\"}";
const MISSES: &str = "selfie_cache_misses_total{model=\"net\",version=\"1\"}";
const RUN: &str = "selfie_items_total{model=\"net\",version=\"1\"}";

#[test]
fn an_image_that_comes_again_is_not_run_until_its_model_is_loaded_anew() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { cache_bytes: 1 << 20, admin: true, ..config(store.path()) });
    let embed = |seeds: &[u32]| {
        let images: Vec<String> = seeds.iter().map(|seed| base64(&png(*seed))).collect();
        server.embed(&json!({"input": images}))
    };
    let first = embed(&[1, 2]);
    assert_eq!(embed(&[2, 3, 1])[..], [first[1].clone(), embed(&[3])[0].clone(), first[0].clone()]);
    assert_eq!([HITS, MISSES, RUN].map(|line| server.metric(line)), [3.0, 3.0, 3.0]);
    assert!(server.metric("selfie_cache_bytes") > 0.0);
    let wrong = json!({"input": base64(b"no image")});
    for _ in 0..2 {
        assert_eq!(server.json("/v1/embeddings", &wrong).status(), 400, "a mistake is not kept");
    }
    assert_eq!(server.post("/v2/repository/models/net/load").send().unwrap().status(), 200);
    embed(&[1]);
    assert_eq!([HITS, RUN].map(|line| server.metric(line)), [3.0, 4.0]);
}
