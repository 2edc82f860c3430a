//! Every option of the server.

use crate::Error;
use crate::runtime::{BatchBuckets, Device, IoBinding};
use clap::builder::Resettable;
use clap::{ArgAction, Args, Command, FromArgMatches, ValueEnum};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread::available_parallelism;

/// Most threads that read and write HTTP: actix takes no more.
const MAX_HTTP_THREADS: usize = 512;

/// Every option of the server: a flag, a variable of the environment, and a key of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Args)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Model store, `STORE/MODEL/VERSION/model.onnx`; without it the models that come with the project.
    #[arg(long, env = "SELFIE_MODELS", value_name = "STORE", default_value = "models", hide_default_value = true)]
    pub models: PathBuf,
    /// File of vectors to search in, .parquet or .npy, as `selfie embed` writes it; may be given several times. It must not change
    /// while it is served.
    #[arg(long, env = "SELFIE_GALLERY", value_name = "FILE", value_delimiter = ',')]
    pub gallery: Vec<PathBuf>,
    /// Look at the store every so many milliseconds and load what is new; 0 looks at the start only.
    #[arg(long, env = "SELFIE_POLL_MS", value_name = "N", default_value_t = 0)]
    pub poll_ms: u64,
    /// Address to listen on. Other machines reach the server only when this is not the loopback address.
    #[arg(long, env = "SELFIE_HOST", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, env = "SELFIE_PORT", value_name = "PORT", value_parser = port, default_value_t = 8000)]
    pub port: u16,
    /// Port for gRPC at the same address; 0 takes a free one, without it there is no gRPC.
    #[arg(long, env = "SELFIE_GRPC_PORT", value_name = "PORT", value_parser = port)]
    pub grpc_port: Option<u16>,
    /// PEM file with the certificate for HTTPS and for gRPC, and those that signed it; without it nothing is encrypted.
    #[arg(long, env = "SELFIE_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the key of the certificate.
    #[arg(long, env = "SELFIE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Runtime: auto, onnxruntime, tract or rten.
    #[arg(long, env = "SELFIE_RUNTIME", value_name = "NAME", default_value = "auto")]
    pub runtime: String,
    /// Device of the runtime: auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N, openvino, openvino:gpu or openvino:npu.
    #[arg(long, env = "SELFIE_DEVICE", value_name = "DEVICE", default_value_t = Device::Auto)]
    pub device: Device,
    /// ONNX Runtime's shared library, instead of that of ORT_DYLIB_PATH or the installed one.
    #[arg(long, env = "SELFIE_ONNXRUNTIME", value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
    /// Threads of one inference; 0 measures for each model how many pay.
    #[arg(long, env = "SELFIE_THREADS", value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Inferences of one model at once; 0 takes as many as the processors have room for, or one on a GPU.
    #[arg(long, env = "SELFIE_SESSIONS", value_name = "N", default_value_t = 0)]
    pub sessions: usize,
    /// Threads that decode and resize images; 0 takes one for each processor that the process may use.
    #[arg(long, env = "SELFIE_DECODE_THREADS", value_name = "N", default_value_t = 0)]
    pub decode_threads: usize,
    /// Threads that read and write HTTP, and as many for gRPC; 0 takes one for each processor, at most 4.
    #[arg(long, env = "SELFIE_HTTP_THREADS", value_name = "N", default_value_t = 0)]
    pub http_threads: usize,
    /// Most items that the runtime gets at once.
    #[arg(long, env = "SELFIE_MAX_BATCH_SIZE", value_name = "N", default_value_t = 32)]
    pub max_batch_size: usize,
    /// Batch sizes that the runtime gets, batches being filled up: auto (powers of two on GPUs), none, or a list such as 1,4,16.
    #[arg(long, env = "SELFIE_BATCH_BUCKETS", value_name = "SIZES", default_value_t = BatchBuckets::Auto)]
    pub batch_buckets: BatchBuckets,
    /// Where ONNX Runtime finds batches of these sizes and puts what comes out.
    #[arg(long, env = "SELFIE_IO_BINDING", value_name = "WAY", default_value_t)]
    pub io_binding: IoBinding,
    /// Most items of a model that wait, decoding included; more are answered with 429.
    #[arg(long, env = "SELFIE_MAX_QUEUE_ITEMS", value_name = "N", default_value_t = 256)]
    pub max_queue_items: usize,
    /// Longest time that an item may wait for the runtime, in milliseconds; 0 sets no limit. Clients may only shorten it.
    #[arg(long, env = "SELFIE_MAX_WAIT_MS", value_name = "N", default_value_t = 0)]
    pub max_wait_ms: u64,
    /// Most items of one request; more are answered with 413.
    #[arg(long, env = "SELFIE_MAX_REQUEST_ITEMS", value_name = "N", default_value_t = 128)]
    pub max_request_items: usize,
    /// Largest request body in bytes; more is answered with 413.
    #[arg(long, env = "SELFIE_MAX_BODY_BYTES", value_name = "N", default_value_t = 32 << 20)]
    pub max_body_bytes: usize,
    /// Longest time in which nothing of a request body comes, in milliseconds; then the answer is 408. 0 sets no limit.
    #[arg(long, env = "SELFIE_BODY_TIMEOUT_MS", value_name = "N", default_value_t = 30_000)]
    pub body_timeout_ms: u64,
    /// Host that images may be fetched from where a request gives a URL: images.example, .example for all below it, or 10.0.0.7:9000;
    /// may be given several times. Without any no URL is fetched.
    #[arg(long, env = "SELFIE_FETCH_HOSTS", value_name = "HOST", value_delimiter = ',')]
    pub fetch_hosts: Vec<String>,
    /// Longest time to fetch an image, in milliseconds.
    #[arg(long, env = "SELFIE_FETCH_TIMEOUT_MS", value_name = "N", default_value_t = 5_000)]
    pub fetch_timeout_ms: u64,
    /// Largest image in pixels, read from its header before anything is allocated.
    #[arg(long, env = "SELFIE_MAX_IMAGE_PIXELS", value_name = "N", default_value_t = 50_000_000)]
    pub max_image_pixels: u64,
    /// Bytes of answers that are kept, of all models together, so that an image that comes again is neither decoded nor run; 0 keeps none.
    #[arg(long, env = "SELFIE_CACHE_BYTES", value_name = "N", default_value_t = 0)]
    pub cache_bytes: usize,
    /// Decode a JPEG that is at least twelve times as wide and high as the model needs at a quarter of its size.
    #[arg(long, env = "SELFIE_REDUCED_JPEG", value_name = "BOOL", action = ArgAction::Set, default_value_t)]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub reduced_jpeg: bool,
    /// Model of the store to serve; may be given several times, and "none" serves none. The others wait until an administrator loads them.
    /// Without any all are served.
    #[arg(long, env = "SELFIE_LOAD_MODELS", value_name = "NAME", value_delimiter = ',')]
    pub load_models: Vec<String>,
    /// Longest time of loading a model in a process that tries it first on a processor, in milliseconds; with 0 nobody tries it.
    #[arg(long, env = "SELFIE_LOAD_TIMEOUT_MS", value_name = "N", default_value_t = 120_000)]
    pub load_timeout_ms: u64,
    /// The program that tries a model first with its command `rehearse`, which is for `selfie serve` to say; without it nobody does.
    #[arg(skip)]
    #[serde(skip)]
    pub rehearsal: Option<PathBuf>,
    /// Not to be ready while a model that came after the start is being loaded or was refused.
    #[arg(long, env = "SELFIE_STRICT_READINESS", value_name = "BOOL", action = ArgAction::Set, default_value_t)]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub strict_readiness: bool,
    /// Let clients load and unload models, and change what is logged and traced.
    #[arg(long, env = "SELFIE_ADMIN", value_name = "BOOL", action = ArgAction::Set, default_value_t)]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub admin: bool,
    /// File with the keys of those who may ask the models, one a line; without it everybody may.
    #[arg(long, env = "SELFIE_API_KEYS", value_name = "FILE")]
    pub api_keys: Option<PathBuf>,
    /// File with the keys of those who may load and unload models as well.
    #[arg(long, env = "SELFIE_ADMIN_KEYS", value_name = "FILE")]
    pub admin_keys: Option<PathBuf>,
    /// Write every request to the log.
    #[arg(long, env = "SELFIE_LOG_REQUESTS", value_name = "BOOL", action = ArgAction::Set, default_value_t)]
    #[arg(num_args = 0..=1, default_missing_value = "true")]
    pub log_requests: bool,
    /// Write requests that take so many milliseconds to the log, with model and stages; 0 writes none.
    #[arg(long, env = "SELFIE_SLOW_REQUEST_MS", value_name = "N", default_value_t = 0)]
    pub slow_request_ms: u64,
    /// Whose names of metrics stand beside ours.
    #[arg(long, env = "SELFIE_METRICS_COMPAT", value_name = "WHOSE", value_enum, default_value_t)]
    pub metrics_compat: MetricsCompat,
    /// Collector that takes traces by OTLP: over gRPC as in `http://localhost:4317`, over HTTP as in `http://localhost:4318/v1/traces`;
    /// without it that of OTEL_EXPORTER_OTLP_ENDPOINT, or no traces.
    #[arg(long, env = "SELFIE_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Share of the requests that are traced, 0 to 1, of those whose sender has not decided it.
    #[arg(long, env = "SELFIE_TRACE_RATIO", value_name = "SHARE", default_value_t = 1.0)]
    pub trace_ratio: f64,
    /// Time between the readiness answering 503 and the end of accepting, in milliseconds, so that a load balancer can look away first.
    #[arg(long, env = "SELFIE_DRAIN_DELAY_MS", value_name = "N", default_value_t = 0)]
    pub drain_delay_ms: u64,
    /// Longest time to finish what is in flight at the end, in milliseconds.
    #[arg(long, env = "SELFIE_DRAIN_TIMEOUT_MS", value_name = "N", default_value_t = 30_000)]
    pub drain_timeout_ms: u64,
    /// Longest time that an idle connection is kept, in milliseconds.
    #[arg(long, env = "SELFIE_KEEP_ALIVE_MS", value_name = "N", default_value_t = 75_000)]
    pub keep_alive_ms: u64,
}

/// Whose names of metrics stand beside ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MetricsCompat {
    /// Nobody's.
    #[default]
    None,
    /// Triton's, `nv_inference_*`.
    Triton,
}

impl Default for Config {
    /// What holds where nobody says anything else, whatever the environment says.
    #[expect(clippy::expect_used, reason = "every option has a default or may be missing, which a test sees")]
    fn default() -> Self {
        let command = Self::augment_args(Command::new("").no_binary_name(true));
        let command = command.mut_args(|option| option.env(Resettable::Reset));
        let matches = command.try_get_matches_from([""; 0]);
        matches.and_then(|matches| Self::from_arg_matches(&matches)).expect("the options have defaults")
    }
}

/// Parses a port.
fn port(text: &str) -> Result<u16, String> {
    text.parse::<u16>().map_err(|error| match text.contains("://") {
        true => "it is the address that Kubernetes puts into SELFIE_PORT for a service named selfie; \
                 give the pod `enableServiceLinks: false`"
            .to_owned(),
        false => format!("{error}; write a number from 0 to 65535"),
    })
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
    fn the_variable_of_an_option_is_called_as_its_key() {
        let command = Config::augment_args(Command::new(""));
        for option in command.get_arguments() {
            let expected = format!("SELFIE_{}", option.get_id().as_str().to_uppercase());
            assert_eq!(option.get_env().and_then(|name| name.to_str()), Some(expected.as_str()));
        }
    }

    #[test]
    fn a_port_is_a_number_and_what_kubernetes_makes_of_it_is_told() {
        assert_eq!(port("8000"), Ok(8000));
        for (text, expected) in [("66000", "0 to 65535"), ("x", "0 to 65535"), ("tcp://10.0.0.7:8000", "Kubernetes")] {
            assert!(port(text).unwrap_err().contains(expected), "{text}");
        }
    }

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
