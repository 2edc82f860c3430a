//! A running server and a client for it.

use reqwest::blocking::{Client, RequestBuilder, Response};
use selfie_serve::runtime::Device;
use selfie_serve::server::Stopper;
use selfie_serve::{Config, Error, Server};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest wait for what must come: far beyond what a slow and busy machine takes.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A server on a free port of the loopback address that is stopped when this is dropped.
pub struct Running {
    pub url: String,
    pub addr: SocketAddr,
    pub grpc_addr: Option<SocketAddr>,
    pub client: Client,
    pub stopper: Stopper,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

/// Options for a test: tract, a free port.
pub fn config(store: &Path) -> Config {
    Config {
        models: store.to_owned(),
        port: 0,
        runtime: "tract".into(),
        device: Device::Cpu,
        threads: 1,
        http_threads: 2,
        ..Config::default()
    }
}

/// Starts a server whose addresses are taken; connections wait until it runs.
pub fn start(config: Config) -> Running {
    let server = Server::bind(config).unwrap();
    let (url, addr, grpc_addr, stopper) = (server.url(), server.addr(), server.grpc_addr(), server.stopper());
    let thread = std::thread::spawn(move || server.run());
    let client = Client::builder().timeout(PATIENCE).build().unwrap();
    Running { url, addr, grpc_addr, client, stopper, thread: Some(thread) }
}

pub fn serve(config: Config) -> Running {
    let running = start(config);
    wait_until("the server does not answer", || running.get("/v2/health/live").send().is_ok());
    running
}

/// Waits until something holds; `wrong` says what is wrong when it never does.
#[track_caller]
pub fn wait_until(wrong: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{wrong}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Running {
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub fn json(&self, path: &str, body: &Value) -> Response {
        self.post(path).json(body).send().unwrap()
    }

    /// The vectors of `/v1/embeddings`.
    pub fn embed(&self, body: &Value) -> Vec<Vec<f32>> {
        let response = self.json("/v1/embeddings", body);
        let status = response.status();
        let answer: Value = response.json().unwrap();
        assert_eq!(status, 200, "{answer}");
        vectors(&answer)
    }

    /// The value of one line of `/metrics`, 0 when it is not there.
    pub fn metric(&self, line: &str) -> f64 {
        let text = self.get("/metrics").send().unwrap().text().unwrap();
        let found = text.lines().find_map(|candidate| candidate.strip_prefix(line));
        found.map_or(0.0, |value| value.trim().parse().unwrap())
    }

    /// Waits for the end of the server.
    pub fn join(mut self) -> Result<(), Error> {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The stages that an answer names in its `Server-Timing`.
pub fn stages(response: &Response) -> Vec<String> {
    let timing = response.headers()["server-timing"].to_str().unwrap();
    timing.split(", ").map(|part| part.split_once(";dur=").unwrap().0.to_owned()).collect()
}

/// The vectors of an answer, in the order of their `index`.
pub fn vectors(answer: &Value) -> Vec<Vec<f32>> {
    let data = answer["data"].as_array().unwrap();
    data.iter()
        .enumerate()
        .map(|(index, item)| {
            assert_eq!(item["index"], index);
            floats(&item["embedding"])
        })
        .collect()
}

pub fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

/// Whether two vectors differ by no more than the tolerance of golden samples.
#[track_caller]
pub fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= super::network::TOLERANCE,
            "{what}: [{index}] is {found}, expected {expected}"
        );
    }
}
