//! `selfie serve`

use super::plan;
use anyhow::{Context, bail, ensure};
use selfie_serve::{Config, Server};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the models that come with the project lie.
const PRETRAINED: &str = "models/pretrained";
/// OpenTelemetry's variables for the collector of a program, and how it is spoken to.
const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

/// Arguments of `selfie serve`. Every one but `--config` and `--check` is also a key of that file, with `_` for `-`.
#[derive(clap::Args, Serialize)]
pub struct Arguments {
    /// TOML file with options; flags and environment variables win over it.
    #[arg(long, env = "SELFIE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Print every option with its source, what would be loaded and the memory that it needs, and serve nothing.
    #[arg(long)]
    #[serde(skip)]
    check: bool,
    /// Model store, `STORE/MODEL/VERSION/model.onnx`; without it the models that come with the project.
    #[arg(long, env = "SELFIE_MODELS", value_name = "STORE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<PathBuf>,
    /// File of vectors to search in, .parquet or .npy, as `selfie embed` writes it; may be given several times. It must not
    /// change while it is served.
    #[arg(long, env = "SELFIE_GALLERY", value_name = "FILE", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gallery: Vec<PathBuf>,
    /// Look at the store every so many milliseconds and load what is new. [default: 0, never]
    #[arg(long, env = "SELFIE_POLL_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_ms: Option<u64>,
    /// Address to listen on. [default: 127.0.0.1]
    #[arg(long, env = "SELFIE_HOST", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// Port to listen on; 0 takes a free one. [default: 8000]
    #[arg(long, env = "SELFIE_PORT", value_name = "PORT", value_parser = port)]
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    /// Port for gRPC; 0 takes a free one. [default: no gRPC]
    #[arg(long, env = "SELFIE_GRPC_PORT", value_name = "PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc_port: Option<u16>,
    /// Certificate for HTTPS and gRPC, a PEM file. [default: no encryption]
    #[arg(long, env = "SELFIE_TLS_CERT", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert: Option<PathBuf>,
    /// Key of the certificate, a PEM file.
    #[arg(long, env = "SELFIE_TLS_KEY", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_key: Option<PathBuf>,
    /// Runtime: auto, onnxruntime, tract or rten. [default: auto]
    #[arg(long, env = "SELFIE_RUNTIME", value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<String>,
    /// Device of the runtime: auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N, openvino, openvino:gpu or openvino:npu. [default: auto]
    #[arg(long, env = "SELFIE_DEVICE", value_name = "DEVICE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// ONNX Runtime's shared library, instead of ORT_DYLIB_PATH's or the installed one.
    #[arg(long, env = "SELFIE_ONNXRUNTIME", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    onnxruntime: Option<PathBuf>,
    /// Threads of one inference; 0 measures for each model how many pay. [default: 0]
    #[arg(long, env = "SELFIE_THREADS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize>,
    /// Inferences of one model at once; 0 takes as many as the processors have room for, or one on a GPU. [default: 0]
    #[arg(long, env = "SELFIE_SESSIONS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<usize>,
    /// Threads that decode images; 0 takes one a processor. [default: 0]
    #[arg(long, env = "SELFIE_DECODE_THREADS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    decode_threads: Option<usize>,
    /// Threads for HTTP, and as many for gRPC; 0 takes one a processor, at most 4. [default: 0]
    #[arg(long, env = "SELFIE_HTTP_THREADS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    http_threads: Option<usize>,
    /// Most items that the runtime gets at once. [default: 32]
    #[arg(long, env = "SELFIE_MAX_BATCH_SIZE", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_batch_size: Option<usize>,
    /// Batch sizes that the runtime gets, batches being filled up: auto (powers of two on GPUs), none, or a list such as
    /// 1,4,16. [default: auto]
    #[arg(long, env = "SELFIE_BATCH_BUCKETS", value_name = "SIZES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_buckets: Option<String>,
    /// Most waiting items of a model; more are answered with 429. [default: 256]
    #[arg(long, env = "SELFIE_MAX_QUEUE_ITEMS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_queue_items: Option<usize>,
    /// Longest time that an item may wait, in milliseconds; clients may shorten it. [default: 0, no limit]
    #[arg(long, env = "SELFIE_MAX_WAIT_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_wait_ms: Option<u64>,
    /// Most items of one request; more are answered with 413. [default: 128]
    #[arg(long, env = "SELFIE_MAX_REQUEST_ITEMS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_request_items: Option<usize>,
    /// Largest request body in bytes; more is answered with 413. [default: 33554432]
    #[arg(long, env = "SELFIE_MAX_BODY_BYTES", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_body_bytes: Option<usize>,
    /// Milliseconds in which nothing of a request body comes before the answer is 408; 0 is no limit. [default: 30000]
    #[arg(long, env = "SELFIE_BODY_TIMEOUT_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    body_timeout_ms: Option<u64>,
    /// Host that images may be fetched from by URL: images.example, .example for all below it, or 10.0.0.7:9000; may be given several
    /// times. [default: none, no URL is fetched]
    #[arg(long, env = "SELFIE_FETCH_HOSTS", value_name = "HOST", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fetch_hosts: Vec<String>,
    /// Milliseconds in which an image must have been fetched. [default: 5000]
    #[arg(long, env = "SELFIE_FETCH_TIMEOUT_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    fetch_timeout_ms: Option<u64>,
    /// Largest image in pixels. [default: 50000000]
    #[arg(long, env = "SELFIE_MAX_IMAGE_PIXELS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_image_pixels: Option<u64>,
    /// Decode a JPEG that is more than twelve times as wide and high as the model needs at a quarter of its size. [default: false]
    #[arg(long, env = "SELFIE_REDUCED_JPEG", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    reduced_jpeg: Option<bool>,
    /// Not to be ready while a model that came after the start is being loaded or was refused. [default: false]
    #[arg(long, env = "SELFIE_STRICT_READINESS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    strict_readiness: Option<bool>,
    /// Let clients load and unload models. [default: false]
    #[arg(long, env = "SELFIE_ADMIN", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<bool>,
    /// File with the keys of those who may ask the models, one a line.
    #[arg(long, env = "SELFIE_API_KEYS", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    api_keys: Option<PathBuf>,
    /// File with the keys of those who may load and unload models as well.
    #[arg(long, env = "SELFIE_ADMIN_KEYS", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_keys: Option<PathBuf>,
    /// Write every request to the log. [default: false]
    #[arg(long, env = "SELFIE_LOG_REQUESTS", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_requests: Option<bool>,
    /// Write requests that take so many milliseconds to the log, with model and stages. [default: 0, none]
    #[arg(long, env = "SELFIE_SLOW_REQUEST_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    slow_request_ms: Option<u64>,
    /// Show metrics under other names as well: none or triton. [default: none]
    #[arg(long, env = "SELFIE_METRICS_COMPAT", value_name = "WHOSE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics_compat: Option<String>,
    /// Collector that takes traces by OTLP: over gRPC as in http://localhost:4317, over HTTP as in http://localhost:4318/v1/traces.
    /// [default: OTEL_EXPORTER_OTLP_ENDPOINT, or no traces]
    #[arg(long, env = "SELFIE_OTLP_ENDPOINT", value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    otlp_endpoint: Option<String>,
    /// Share of the requests that are traced, 0 to 1, where the client has not decided it. [default: 1]
    #[arg(long, env = "SELFIE_TRACE_RATIO", value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_ratio: Option<f64>,
    /// Milliseconds of not being ready before the end of accepting. [default: 0]
    #[arg(long, env = "SELFIE_DRAIN_DELAY_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    drain_delay_ms: Option<u64>,
    /// Milliseconds to finish what is in flight at the end. [default: 30000]
    #[arg(long, env = "SELFIE_DRAIN_TIMEOUT_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    drain_timeout_ms: Option<u64>,
    /// Milliseconds that an idle connection is kept. [default: 75000]
    #[arg(long, env = "SELFIE_KEEP_ALIVE_MS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive_ms: Option<u64>,
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

/// Variables that are no options of this command.
const OTHERS: [&str; 4] = ["SELFIE_LOG", "SELFIE_LOG_FORMAT", "SELFIE_CACHE", "SELFIE_DATA"];

/// Those of the variables that look like options and are none.
fn unknown(variables: impl Iterator<Item = String>) -> Vec<String> {
    let command = <Arguments as clap::Args>::augment_args(clap::Command::new("serve"));
    let is_option =
        |name: &str| command.get_arguments().any(|argument| argument.get_env().is_some_and(|env| env == name));
    let is_known = |name: &str| OTHERS.contains(&name) || name.starts_with("SELFIE_TEST_") || is_option(name);
    variables.filter(|name| name.starts_with("SELFIE_") && !is_known(name)).collect()
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        for name in unknown(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())) {
            tracing::warn!("{name} is set and is no option; `selfie serve --help` names them all");
        }
        if self.check {
            let origins = self.origins()?;
            return plan::print(&self.resolve()?, &origins);
        }
        serve(self.resolve()?)
    }

    /// What the file says.
    fn file(&self) -> anyhow::Result<toml::Table> {
        let Some(path) = &self.config else { return Ok(toml::Table::new()) };
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        text.parse().with_context(|| path.display().to_string())
    }

    /// Where each option comes from that is not a default.
    fn origins(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let file = self.config.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let mut origins: BTreeMap<String, String> =
            self.file()?.into_iter().map(|(name, _)| (name, file.clone())).collect();
        for name in toml::Table::try_from(self)?.keys() {
            let flag = format!("--{}", name.replace('_', "-"));
            let is_flag = |word: String| word == flag || word.starts_with(&format!("{flag}="));
            let variable = format!("SELFIE_{}", name.to_uppercase());
            let origin = if std::env::args().any(is_flag) { flag.clone() } else { variable };
            origins.insert(name.clone(), origin);
        }
        if !origins.contains_key("otlp_endpoint") && collector()?.is_some() {
            origins.insert("otlp_endpoint".into(), COLLECTOR.into());
        }
        origins.entry("models".into()).or_insert_with(|| "the models that come with the project".into());
        Ok(origins)
    }

    /// What was typed over what the file says over the defaults.
    fn resolve(self) -> anyhow::Result<Config> {
        let mut options = self.file()?;
        let origin = self.config.as_ref().map_or("the flags".to_owned(), |path| path.display().to_string());
        options.extend(toml::Table::try_from(&self)?);
        if !options.contains_key("otlp_endpoint")
            && let Some(url) = collector()?
        {
            options.insert("otlp_endpoint".into(), url.into());
        }
        let named = options.contains_key("models");
        let mut config: Config = options.try_into().with_context(|| format!("the options in {origin}"))?;
        if !named {
            config.models = pretrained()?;
        }
        Ok(config)
    }
}

/// The collector that OpenTelemetry's own variables name. They are for every program that is started with them, so what is said to
/// this one wins.
fn collector() -> anyhow::Result<Option<String>> {
    named(|name| std::env::var(name).ok())
}

/// The collector that these variables name. By HTTP the address is that of the collector, and its traces have a path of their own.
fn named(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<String>> {
    let variable = |name| variable(name).filter(|text| !text.is_empty());
    let Some(url) = variable(COLLECTOR) else { return Ok(None) };
    match variable(PROTOCOL).as_deref() {
        None | Some("grpc") => Ok(Some(url)),
        Some("http/protobuf") => Ok(Some(format!("{}/v1/traces", url.trim_end_matches('/')))),
        Some(other) => bail!("{PROTOCOL} is \"{other}\"; traces go by grpc or http/protobuf, set it to one of them"),
    }
}

/// Loads the models, says where they are served, and serves until SIGTERM or SIGINT.
pub fn serve(config: Config) -> anyhow::Result<()> {
    let server = Server::bind(config)?;
    let grpc = server.grpc_addr().map(|addr| format!("\nlistening for gRPC on {addr}")).unwrap_or_default();
    // In one piece: whoever reads only the first line may have closed the pipe before a second one comes.
    println!("listening on {}{grpc}", server.url());
    Ok(server.run()?)
}

/// The store that comes with the project: in the current folder, or above the program.
pub(super) fn pretrained() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let above = program.ancestors().skip(1).map(|folder| folder.join(PRETRAINED));
    let found = std::iter::once(PathBuf::from(PRETRAINED)).chain(above).find(|store| store.is_dir());
    ensure!(found.is_some(), "no {PRETRAINED} here or above the program; name a model store with --models");
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn every_option_of_the_server_is_a_flag_and_every_flag_an_option() {
        let keys = toml::Table::try_from(Config::default()).unwrap();
        // Those without a default, and the file itself.
        let others = [
            "config",
            "check",
            "grpc_port",
            "tls_cert",
            "tls_key",
            "onnxruntime",
            "api_keys",
            "admin_keys",
            "otlp_endpoint",
        ]
        .map(str::to_owned);
        let mut keys: Vec<String> = keys.keys().cloned().chain(others).collect();
        let mut flags: Vec<String> = Line::command().get_arguments().map(|flag| flag.get_id().to_string()).collect();
        keys.sort();
        flags.sort();
        assert_eq!(flags, keys);
    }

    #[test]
    fn a_variable_that_is_misspelt_is_noticed() {
        let names =
            ["SELFIE_PORT", "SELFIE_PROT", "SELFIE_CONFIG", "SELFIE_LOG", "SELFIE_TEST_PYTHON", "PATH", "MY_SELFIE_X"];
        assert_eq!(unknown(names.into_iter().map(str::to_owned)), ["SELFIE_PROT"]);
    }

    #[test]
    fn a_port_is_a_number_and_what_kubernetes_makes_of_it_is_told() {
        assert_eq!(port("8000"), Ok(8000));
        for (text, expected) in [("66000", "0 to 65535"), ("x", "0 to 65535"), ("tcp://10.0.0.7:8000", "Kubernetes")] {
            assert!(port(text).unwrap_err().contains(expected), "{text}");
        }
    }

    #[test]
    fn the_variables_of_opentelemetry_say_where_and_how() {
        let found = |protocol: &str, url: &str| {
            let variable = |name: &str| Some(if name == PROTOCOL { protocol } else { url }.to_owned());
            named(variable).map_err(|error| error.to_string())
        };
        let (grpc, http) = ("http://otel:4317", "http://otel:4318");
        assert_eq!(found("", grpc), Ok(Some(grpc.into())));
        assert_eq!(found("grpc", grpc), Ok(Some(grpc.into())));
        assert_eq!(found("http/protobuf", "http://otel:4318/"), Ok(Some(format!("{http}/v1/traces"))));
        assert_eq!(found("http/protobuf", ""), Ok(None));
        assert!(found("http/json", http).unwrap_err().contains("http/json"));
    }

    #[test]
    fn flags_win_over_the_file() {
        let folder = std::env::temp_dir().join(format!("selfie-serve-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("serve.toml");
        std::fs::write(&file, "models = 'a'\nport = 1\nmax_batch_size = 2\ntrace_ratio = 0\n").unwrap();
        let line = Line::parse_from(["serve", "--config", file.to_str().unwrap(), "--port", "3"]);
        let config = line.arguments.resolve().unwrap();
        assert_eq!((config.models, config.port, config.max_batch_size), (PathBuf::from("a"), 3, 2));
        assert_eq!(config.trace_ratio, 0.0, "a whole number is one as well");
        std::fs::write(&file, "prot = 1\n").unwrap();
        let line = Line::parse_from(["serve", "--config", file.to_str().unwrap()]);
        let message = format!("{:#}", line.arguments.resolve().unwrap_err());
        assert!(message.contains("prot") && message.contains("serve.toml"), "{message}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
