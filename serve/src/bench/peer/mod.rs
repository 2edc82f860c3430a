//! Python servers that do the same: the card's preprocessing by Pillow, the same ONNX file in ONNX Runtime, their own way of
//! batching.
//!
//! A peer is one script and one line in [`PEERS`].

use super::connection::{Connection, post};
use super::load::{self, Target};
use super::process::Process;
use super::selfie::floats;
use crate::runtime::Device;
use crate::{Error, Model};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::json;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PIPELINE: &str = include_str!("pipeline.py");
/// The variable in which a script finds what to serve.
const OPTIONS: &str = "SELFIE_BENCH_PEER";
/// Libraries that would tell others that they are used.
const QUIET: [(&str, &str); 2] = [("BENTOML_DO_NOT_TRACK", "True"), ("ORT_DISABLE_TELEMETRY", "1")];
/// Pillow rounds the pixels of a JPEG otherwise than our decoder, by one step now and then.
const LEAST_COSINE: f64 = 0.99;
/// A request that is sent while a peer starts.
const ASK_INTERVAL: Duration = Duration::from_millis(300);

/// A Python server.
#[derive(Debug)]
pub struct Peer {
    /// Name in tables.
    pub name: &'static str,
    module: &'static str,
    script: &'static str,
    form: Form,
}

/// How a peer takes an image and gives a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// The bytes of the JPEG; bare 32-bit floats.
    Bytes,
    /// JSON `{"images": [".."]}`; JSON `[".."]`, both in base64.
    Base64,
    /// The Open Inference Protocol's binary tensors: an element of BYTES; 32-bit floats behind their JSON.
    Tensors,
}

/// Every peer.
pub const PEERS: &[Peer] = &[
    Peer { name: "LitServe", module: "litserve", script: include_str!("litserve_server.py"), form: Form::Bytes },
    Peer { name: "BentoML", module: "bentoml", script: include_str!("bentoml_server.py"), form: Form::Base64 },
    Peer { name: "PyTriton", module: "pytriton", script: include_str!("pytriton_server.py"), form: Form::Tensors },
    Peer { name: "FastAPI", module: "fastapi", script: include_str!("fastapi_server.py"), form: Form::Bytes },
];

/// What every server serves.
pub struct Subject<'a> {
    /// The model; its file is what a peer loads.
    pub model: &'a Model,
    /// Threads that a server may use.
    pub threads: usize,
    /// Largest batch.
    pub max_batch_size: usize,
    /// The photographs.
    pub photographs: &'a [Vec<u8>],
    /// Their vectors.
    pub expected: &'a [Vec<f32>],
}

/// A peer that answers right.
pub struct Running {
    /// Versions of the peer and of what it runs on.
    pub version: String,
    /// Its process.
    pub process: Process,
    /// What it is asked.
    pub target: Target,
}

impl Peer {
    /// Starts it with a Python that has its packages, and waits for its first right answer.
    ///
    /// # Errors
    /// [`Error::Bench`] when a package is missing, it does not come up, or its answer is wrong.
    pub fn start(&self, python: &Path, subject: &Subject<'_>) -> Result<Running, Error> {
        let version = self.version(python)?;
        let failed = |error: std::io::Error| Error::bench(self.name, error.to_string());
        let folder = tempfile::tempdir().map_err(failed)?;
        let script = format!("{}_server.py", self.module);
        for (name, text) in [("pipeline.py", PIPELINE), (script.as_str(), self.script)] {
            fs::write(folder.path().join(name), text).map_err(failed)?;
        }
        // Free a moment ago; nobody else here takes ports in between.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(failed)?;
        let options = self.options(subject, address.port())?;
        let mut process = Process::start(self.name, python.as_os_str(), |command| {
            command.args(["-u", &script]).current_dir(folder.path()).env(OPTIONS, options).envs(QUIET);
        })?;
        let target = Target {
            address,
            requests: subject.photographs.iter().map(|jpeg| self.form.request(address, jpeg)).collect(),
            check: load::vectors(self.form.reader(), subject.expected.to_vec(), 1, LEAST_COSINE),
        };
        let mut asked: Option<Instant> = None;
        process
            .wait_until(|_| {
                if asked.is_some_and(|asked| asked.elapsed() < ASK_INTERVAL) {
                    return None;
                }
                asked = Some(Instant::now());
                let mut connection = Connection::open(address).ok()?;
                match target.ask(&mut connection) {
                    Ok(()) => Some(Ok(())),
                    // It listens and is not ready, or has not loaded the model, as its status says.
                    Err(reason) if ["status 503", "status 404"].iter().any(|status| reason.starts_with(status)) => None,
                    Err(reason) => Some(Err(reason)),
                }
            })?
            .map_err(|reason| Error::bench(self.name, reason))?;
        Ok(Running { version, process, target })
    }

    /// Versions of everything that it needs, or what is missing.
    fn version(&self, python: &Path) -> Result<String, Error> {
        let module = self.module;
        let script = format!(
            "import numpy, onnxruntime, PIL, {module}\n\
             print({module}.__version__ + ', onnxruntime ' + onnxruntime.__version__ + ', Pillow ' + PIL.__version__)"
        );
        import(self.name, python, &script)
    }

    fn options(&self, subject: &Subject<'_>, port: u16) -> Result<String, Error> {
        let failed = |error: String| Error::bench(self.name, error);
        let path = &subject.model.file.path;
        let path = path.canonicalize().map_err(|error| failed(format!("{}: {error}", path.display())))?;
        let mut card = serde_json::to_value(subject.model.card()).map_err(|error| failed(error.to_string()))?;
        // A variable of the environment must stay small.
        card["golden"] = json!([]);
        card["provenance"] = json!({});
        let device = match subject.model.choice.device {
            Device::Auto | Device::Cpu => "cpu".to_owned(),
            device => device.to_string(),
        };
        let options = json!({
            "model": path,
            "card": card,
            "device": device,
            "threads": subject.threads,
            "max_batch_size": subject.max_batch_size,
            "port": port,
        });
        Ok(options.to_string())
    }
}

impl Form {
    /// A request for the vector of an image.
    fn request(self, address: SocketAddr, jpeg: &[u8]) -> Vec<u8> {
        match self {
            Self::Bytes => post(address, "/embed", &[("content-type", "image/jpeg")], jpeg),
            Self::Base64 => {
                let body = json!({"images": [STANDARD.encode(jpeg)]}).to_string();
                post(address, "/embed", &[("content-type", "application/json")], body.as_bytes())
            }
            Self::Tensors => {
                let element = [&(jpeg.len() as u32).to_le_bytes(), jpeg].concat();
                let size = json!({"binary_data_size": element.len()});
                let input = json!({"name": "images", "shape": [1, 1], "datatype": "BYTES", "parameters": size});
                let head = json!({"inputs": [input], "parameters": {"binary_data_output": true}}).to_string();
                let len = head.len().to_string();
                let headers = [("content-type", "application/octet-stream"), ("inference-header-content-length", &len)];
                post(address, "/v2/models/embed/infer", &headers, &[head.as_bytes(), &element].concat())
            }
        }
    }

    fn reader(self) -> fn(&[u8]) -> Result<Vec<f32>, String> {
        match self {
            Self::Bytes => floats,
            Self::Base64 => |body| {
                let [text]: [String; 1] = serde_json::from_slice(body).map_err(|error| error.to_string())?;
                floats(&STANDARD.decode(text).map_err(|error| error.to_string())?)
            },
            Self::Tensors => |body| {
                let mut json = serde_json::Deserializer::from_slice(body).into_iter::<IgnoredAny>();
                json.next().ok_or("an empty answer")?.map_err(|error| error.to_string())?;
                floats(&body[json.byte_offset()..])
            },
        }
    }
}

/// What a short script prints.
///
/// # Errors
/// [`Error::Bench`] with the last line of what it complains about.
pub fn import(name: &str, python: &Path, script: &str) -> Result<String, Error> {
    let output = Command::new(python).args(["-c", script]).envs(QUIET).stdin(Stdio::null()).output();
    let output = output.map_err(|error| Error::bench(name, format!("{}: {error}", python.display())))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(Error::bench(name, text(&output.stderr))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_gives_the_vector_back() {
        let vector = [0.5f32, -2.0].map(f32::to_le_bytes).concat();
        let json = json!([STANDARD.encode(&vector)]).to_string();
        assert_eq!((Form::Bytes.reader())(&vector), Ok(vec![0.5, -2.0]));
        assert_eq!((Form::Base64.reader())(json.as_bytes()), Ok(vec![0.5, -2.0]));
        assert!((Form::Base64.reader())(b"[]").is_err());
        let tensors = [br#"{"outputs":[{"name":"embedding"}]}"#, vector.as_slice()].concat();
        assert_eq!((Form::Tensors.reader())(&tensors), Ok(vec![0.5, -2.0]));
        assert!((Form::Tensors.reader())(b"").is_err());
    }

    #[test]
    fn every_form_carries_the_image() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let ends = |form: Form, end: &[u8]| assert!(form.request(address, b"hi").ends_with(end), "{form:?}");
        ends(Form::Bytes, b"\r\n\r\nhi");
        ends(Form::Base64, br#"{"images":["aGk="]}"#);
        ends(Form::Tensors, b"}\x02\0\0\0hi");
    }

    #[test]
    fn scripts_are_named_after_what_they_import() {
        for peer in PEERS {
            let imports = [format!("import {}\n", peer.module), format!("from {}.", peer.module)];
            assert!(imports.iter().any(|import| peer.script.contains(import)), "{}", peer.name);
            assert!(peer.script.contains("from pipeline import"), "{}", peer.name);
        }
    }
}
