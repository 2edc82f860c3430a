//! Every option of the server.

use crate::Error;
use crate::runtime::{BatchBuckets, Device};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread::available_parallelism;

/// Most threads that read and write HTTP: actix takes no more.
const MAX_HTTP_THREADS: usize = 512;

/// Every option of the server. In a file or an environment the names are those of the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The model store, `<store>/<model>/<version>/model.onnx`.
    pub models: PathBuf,
    /// Files of vectors to search in, as `selfie embed` writes them. They must not change while they are served.
    pub gallery: Vec<PathBuf>,
    /// How often the store is looked at for what is new or gone, in milliseconds; 0 looks at the start only.
    pub poll_ms: u64,
    /// Address to listen on. Other machines reach the server only when this is not the loopback address.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Port for gRPC at the same address; 0 takes a free one, without it there is no gRPC.
    pub grpc_port: Option<u16>,
    /// PEM file with the certificate for HTTPS and for gRPC, and those that signed it; without it nothing is encrypted.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the key of the certificate.
    pub tls_key: Option<PathBuf>,
    /// Name of the runtime, or `auto`.
    pub runtime: String,
    /// Device of the runtime.
    pub device: Device,
    /// Path of ONNX Runtime's shared library; without it `ORT_DYLIB_PATH` and the cache folder are looked into.
    pub onnxruntime: Option<PathBuf>,
    /// Threads of one inference; 0 measures for each model how many pay.
    pub threads: usize,
    /// Inferences of one model at once; 0 takes as many as the processors have room for, or one on a GPU.
    pub sessions: usize,
    /// Threads that decode and resize images; 0 takes one for each processor that the process may use.
    pub decode_threads: usize,
    /// Threads that read and write HTTP, and as many for gRPC; 0 takes one for each processor, at most 4.
    pub http_threads: usize,
    /// Most items that the runtime gets at once.
    pub max_batch_size: usize,
    /// The batch sizes that the runtime gets: `auto`, `none`, or a list such as `1,4,16`; batches are filled up to the next one.
    pub batch_buckets: BatchBuckets,
    /// Most items of a model that wait, decoding included; more are answered with 429.
    pub max_queue_items: usize,
    /// Longest time that an item may wait for the runtime, in milliseconds; 0 sets no limit. Clients may only shorten it.
    pub max_wait_ms: u64,
    /// Most items of one request; more are answered with 413.
    pub max_request_items: usize,
    /// Largest request body in bytes; more is answered with 413.
    pub max_body_bytes: usize,
    /// Longest time in which nothing of a request body comes, in milliseconds; then the answer is 408. 0 sets no limit.
    pub body_timeout_ms: u64,
    /// Hosts that images may be fetched from where a request gives a URL: `images.example`, `.example` for all below it, or an address,
    /// each with a port or without; without any no URL is fetched.
    pub fetch_hosts: Vec<String>,
    /// Longest time to fetch an image, in milliseconds.
    pub fetch_timeout_ms: u64,
    /// Largest image in pixels, read from its header before anything is allocated.
    pub max_image_pixels: u64,
    /// Whether a JPEG that is far larger than the model needs is decoded at a quarter of its width and height.
    pub reduced_jpeg: bool,
    /// Whether a model that came after the start and is being loaded, or was refused, keeps the server from being ready.
    pub strict_readiness: bool,
    /// Whether clients may load and unload models.
    pub admin: bool,
    /// File with the keys of those who may ask the models, one a line; without it everybody may.
    pub api_keys: Option<PathBuf>,
    /// File with the keys of those who may load and unload models as well.
    pub admin_keys: Option<PathBuf>,
    /// Whether every request is a line of the log.
    pub log_requests: bool,
    /// Time from which on a request is a warning in the log, with its stages, in milliseconds; 0 for none.
    pub slow_request_ms: u64,
    /// Whose names of metrics stand beside ours.
    pub metrics_compat: MetricsCompat,
    /// Collector that takes traces, `http://HOST:PORT` by OTLP over gRPC, with a path such as `/v1/traces` by OTLP over HTTP; without it
    /// there are none.
    pub otlp_endpoint: Option<String>,
    /// Share of the requests that are traced, 0 to 1, of those whose sender has not decided it.
    pub trace_ratio: f64,
    /// Time between the readiness answering 503 and the end of accepting, in milliseconds, so that a load balancer
    /// can look away first.
    pub drain_delay_ms: u64,
    /// Longest time to finish what is in flight at the end, in milliseconds.
    pub drain_timeout_ms: u64,
    /// Longest time that an idle connection is kept, in milliseconds.
    pub keep_alive_ms: u64,
}

/// Whose names of metrics stand beside ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsCompat {
    /// Nobody's.
    #[default]
    None,
    /// Triton's, `nv_inference_*`.
    Triton,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            models: PathBuf::from("models"),
            gallery: Vec::new(),
            poll_ms: 0,
            host: "127.0.0.1".into(),
            port: 8000,
            grpc_port: None,
            tls_cert: None,
            tls_key: None,
            runtime: "auto".into(),
            device: Device::Auto,
            onnxruntime: None,
            threads: 0,
            sessions: 0,
            decode_threads: 0,
            http_threads: 0,
            max_batch_size: 32,
            batch_buckets: BatchBuckets::Auto,
            max_queue_items: 256,
            max_wait_ms: 0,
            max_request_items: 128,
            max_body_bytes: 32 << 20,
            body_timeout_ms: 30_000,
            fetch_hosts: Vec::new(),
            fetch_timeout_ms: 5_000,
            max_image_pixels: 50_000_000,
            reduced_jpeg: false,
            strict_readiness: false,
            admin: false,
            api_keys: None,
            admin_keys: None,
            log_requests: false,
            slow_request_ms: 0,
            metrics_compat: MetricsCompat::None,
            otlp_endpoint: None,
            trace_ratio: 1.0,
            drain_delay_ms: 0,
            drain_timeout_ms: 30_000,
            keep_alive_ms: 75_000,
        }
    }
}

impl Config {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`Error::Option`] names the option.
    pub fn check(&self) -> Result<(), Error> {
        let positive = [
            ("max_batch_size", self.max_batch_size),
            ("max_queue_items", self.max_queue_items),
            ("max_request_items", self.max_request_items),
            ("max_body_bytes", self.max_body_bytes),
            ("max_image_pixels", usize::try_from(self.max_image_pixels).unwrap_or(usize::MAX)),
            ("fetch_timeout_ms", usize::try_from(self.fetch_timeout_ms).unwrap_or(usize::MAX)),
        ];
        for (option, value) in positive {
            if value == 0 {
                return Err(Error::Option { option, reason: "is 0; it must be at least 1".into() });
            }
        }
        if self.http_threads > MAX_HTTP_THREADS {
            let reason = format!("is {}; it must be at most {MAX_HTTP_THREADS}", self.http_threads);
            return Err(Error::Option { option: "http_threads", reason });
        }
        if !(0.0..=1.0).contains(&self.trace_ratio) {
            let reason = format!("is {}; it must be from 0 to 1", self.trace_ratio);
            return Err(Error::Option { option: "trace_ratio", reason });
        }
        crate::fetch::Hosts::parse(&self.fetch_hosts)?;
        if let Some(url) = &self.otlp_endpoint {
            crate::trace::Collector::at(url)?;
        }
        if let BatchBuckets::Sizes(sizes) = &self.batch_buckets
            && let Some(largest) = sizes.last().filter(|largest| **largest > self.max_batch_size)
        {
            let (option, max_batch_size) = ("batch_buckets", self.max_batch_size);
            let reason = format!("{largest} is more than max_batch_size, {max_batch_size}; raise that or leave it out");
            return Err(Error::Option { option, reason });
        }
        let is_shared = self.api_keys.is_some() || !self.is_loopback();
        if self.admin && is_shared && self.admin_keys.is_none() {
            let reason =
                "is missing; with api_keys, or on an address that other machines reach, admin needs keys of its own";
            return Err(Error::Option { option: "admin_keys", reason: reason.into() });
        }
        Ok(())
    }

    /// Whether only this machine reaches the address.
    fn is_loopback(&self) -> bool {
        self.host() == "localhost" || self.host().parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The host, without the brackets that an address of IPv6 has in a URL.
    pub(crate) fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// Most items of one request: a request that could never fit the queue is too large as well.
    pub fn request_items(&self) -> usize {
        self.max_request_items.min(self.max_queue_items)
    }
}

/// `asked` threads, or one for each processor that affinity and control group leave to the process.
pub(crate) fn threads(asked: usize) -> usize {
    if asked > 0 { asked } else { available_parallelism().map_or(1, usize::from) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_limit_is_refused_by_name() {
        assert!(Config::default().check().is_ok());
        let config = Config { max_batch_size: 0, ..Config::default() };
        assert!(config.check().unwrap_err().to_string().contains("max_batch_size"));
    }

    #[test]
    fn more_threads_than_there_can_be_are_refused_by_name() {
        let config = |http_threads| Config { http_threads, ..Config::default() };
        assert!(config(512).check().is_ok());
        assert!(config(513).check().unwrap_err().to_string().contains("http_threads: is 513"));
    }

    #[test]
    fn traces_need_a_share_and_an_address() {
        let ratio = |trace_ratio| Config { trace_ratio, ..Config::default() };
        assert!([0.0, 0.5, 1.0].into_iter().all(|value| ratio(value).check().is_ok()));
        for value in [-0.1, 1.5, f64::NAN] {
            assert!(ratio(value).check().unwrap_err().to_string().contains("trace_ratio"), "{value}");
        }
        let config = Config { otlp_endpoint: Some("collector".into()), ..Config::default() };
        assert!(config.check().unwrap_err().to_string().contains("otlp_endpoint"));
    }

    #[test]
    fn a_bucket_that_no_batch_fills_is_refused() {
        let config = |sizes: &[usize]| Config {
            max_batch_size: 16,
            batch_buckets: BatchBuckets::Sizes(sizes.to_vec()),
            ..Config::default()
        };
        assert!(config(&[1, 4, 16]).check().is_ok());
        assert!(config(&[1, 64]).check().unwrap_err().to_string().contains("64 is more than max_batch_size, 16"));
    }

    #[test]
    fn administration_needs_keys_where_others_can_reach_it() {
        let keys = Some(PathBuf::from("keys"));
        let config = |host: &str, api_keys, admin_keys| Config {
            admin: true,
            host: host.into(),
            api_keys,
            admin_keys,
            ..Config::default()
        };
        for (config, is_ok) in [
            (config("127.0.0.1", None, None), true),
            (config("::1", None, None), true),
            (config("[::1]", None, None), true),
            (config("localhost", None, None), true),
            (config("0.0.0.0", None, None), false),
            (config("127.0.0.1", keys.clone(), None), false),
            (config("0.0.0.0", keys.clone(), keys.clone()), true),
            (Config { host: "0.0.0.0".into(), ..Config::default() }, true),
        ] {
            assert_eq!(config.check().is_ok(), is_ok, "{config:?}");
        }
    }

    #[test]
    fn a_request_never_exceeds_the_queue() {
        assert_eq!(Config { max_queue_items: 4, ..Config::default() }.request_items(), 4);
    }
}
