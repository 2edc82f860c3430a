//! Several inferences of one model at once, behind one server.

use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use super::runtimes::present;
use selfie_serve::Config;
use serde_json::{Value, json};
use std::sync::Barrier;

const SESSIONS: usize = 3;
const CLIENTS: u32 = 12;
const REQUESTS: u32 = 8;

#[test]
fn inferences_at_once_answer_their_own_requests_in_the_order_of_the_items() {
    let store = store(&[("net", Network { side: 24, widths: vec![16, 8], ..Network::default() })]);
    for runtime in present("inferences at once") {
        let options = Config { runtime: runtime.into(), sessions: SESSIONS, max_batch_size: 4, ..config(store.path()) };
        let server = serve(options);
        let answer: Value = server.get("/v2/models/net/config").send().unwrap().json().unwrap();
        assert_eq!(answer["instance_group"][0]["count"], SESSIONS, "{runtime}");
        let images: Vec<String> = (0..CLIENTS * 3).map(|seed| base64(&png(seed))).collect();
        let alone: Vec<Vec<f32>> =
            images.iter().map(|image| server.embed(&json!({"input": image})).remove(0)).collect();
        let apart = |one: &[f32], other: &[f32]| one.iter().zip(other).any(|(one, other)| (one - other).abs() > 1e-3);
        let strangers = alone.iter().map(|one| alone.iter().filter(|other| apart(one, other)).count()).sum::<usize>();
        assert!(strangers > alone.len() * alone.len() * 9 / 10, "the answers are too much alike to be told apart");
        let barrier = Barrier::new(CLIENTS as usize);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (server, barrier, images, alone) = (&server, &barrier, &images, &alone);
                scope.spawn(move || {
                    barrier.wait();
                    for request in 0..REQUESTS {
                        // Another choice in another order each time: more items than a batch holds, some of them twice.
                        let step = (client * REQUESTS + request) as usize;
                        let chosen: Vec<usize> =
                            (0..1 + step % 7).map(|item| (step * 5 + item * 11) % images.len()).collect();
                        let input: Vec<&String> = chosen.iter().map(|index| &images[*index]).collect();
                        let found = server.embed(&json!({"input": input}));
                        assert_eq!(found.len(), chosen.len());
                        for (found, index) in found.iter().zip(chosen) {
                            assert_close(found, &alone[index], runtime);
                        }
                    }
                });
            }
        });
        let failed = "selfie_batches_failed_total{model=\"net\",version=\"1\"}";
        assert_eq!(server.metric(failed), 0.0, "{runtime}");
    }
}
