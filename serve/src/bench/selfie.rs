//! Our server, started as anybody starts it, with the options of the run.

use super::connection::post;
use super::process::Process;
use crate::Error;
use crate::model_file::CARD_FILE;
use crate::runtime;
use crate::store::MODEL_FILE;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

const NAME: &str = "selfie";
/// Between the files of a form. A JPEG of random pixels has it with a probability of 2^-150.
const BOUNDARY: &[u8] = b"between-two-images-";
/// The variable of the cache stays: the runtime may be in it. All others are options of a server, and none but ours count.
const KEPT_VARIABLE: &str = "SELFIE_CACHE";

/// A server of ours that runs.
pub struct Selfie {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Selfie {
    /// Starts `program` with a store and waits until it listens.
    ///
    /// # Errors
    /// [`Error::Bench`] when it does not come up.
    pub fn start(
        program: &Path,
        store: &Path,
        runtime: &runtime::Options,
        options: &[(&str, &OsStr)],
    ) -> Result<Self, Error> {
        let mut process = Process::start(NAME, program.as_os_str(), |command| {
            for (name, _) in std::env::vars_os() {
                let text = name.to_string_lossy();
                if text.starts_with("SELFIE_") && text != KEPT_VARIABLE {
                    command.env_remove(&name);
                }
            }
            command.arg("serve").arg("--models").arg(store).args(["--port", "0", "--runtime", &runtime.runtime]);
            command.args(["--device", &runtime.device.to_string(), "--threads", &runtime.threads.to_string()]);
            command.args(["--batch-buckets", &runtime.batch_buckets.to_string()]);
            command.args(["--io-binding", &runtime.io_binding.to_string()]);
            if let Some(library) = &runtime.onnxruntime {
                command.arg("--onnxruntime").arg(library);
            }
            for (flag, value) in options {
                command.arg(flag).arg(value);
            }
        })?;
        let listening =
            |log: &str| log.lines().find_map(|line| line.strip_prefix("listening on http://")?.parse().ok());
        let address = process.wait_until(listening)?;
        Ok(Self { process, address })
    }

    /// A request for the vector of an image, as bare numbers.
    pub fn request(&self, model: &str, jpeg: &[u8]) -> Vec<u8> {
        let headers = [("content-type", "image/jpeg"), ("accept", "application/octet-stream")];
        post(self.address, &format!("/v1/embeddings?model={model}"), &headers, jpeg)
    }

    /// A request for the vectors of several images, as bare numbers: a form with a file for each.
    pub fn form_request(&self, model: &str, jpegs: &[&[u8]]) -> Vec<u8> {
        let head = b"\r\ncontent-disposition: form-data; name=\"images\"; filename=\"image.jpg\"\r\ncontent-type: image/jpeg\r\n\r\n";
        let parts = jpegs.iter().flat_map(|jpeg| [b"--", BOUNDARY, head, *jpeg, b"\r\n"]);
        let body = parts.chain([b"--".as_slice(), BOUNDARY, b"--\r\n"]).collect::<Vec<_>>().concat();
        let kind = format!("multipart/form-data; boundary={}", String::from_utf8_lossy(BOUNDARY));
        let headers = [("content-type", kind.as_str()), ("accept", "application/octet-stream")];
        post(self.address, &format!("/v1/embeddings?model={model}"), &headers, &body)
    }

    /// A request with an item that is prepared already.
    pub fn tensor_request(&self, model: &str, tensor: &[u8]) -> Vec<u8> {
        let headers = [("content-type", "application/octet-stream"), ("inference-header-content-length", "0")];
        post(self.address, &format!("/v2/models/{model}/infer"), &headers, tensor)
    }
}

/// Copies a model file, with what may lie beside it, into a store, under a name.
///
/// # Errors
/// [`Error::Io`] when a file cannot be copied.
pub fn place(model: &Path, store: &Path, name: &str) -> Result<(), Error> {
    let folder = store.join(name).join("1");
    fs::create_dir_all(&folder).map_err(|source| Error::Io { action: "write", path: folder.clone(), source })?;
    let copy = |from: &Path, to: &OsStr| {
        let copied = fs::copy(from, folder.join(to));
        copied.map(drop).map_err(|source| Error::Io { action: "copy", path: from.to_owned(), source })
    };
    copy(model, OsStr::new(MODEL_FILE))?;
    let mut weights = model.file_name().unwrap_or_default().to_owned();
    weights.push(".data");
    for beside in [OsStr::new(CARD_FILE), &weights] {
        let from = model.with_file_name(beside);
        if from.is_file() {
            copy(&from, beside)?;
        }
    }
    Ok(())
}

/// The numbers of a body of little-endian 32-bit floats.
///
/// # Errors
/// The body is cut.
pub fn floats(body: &[u8]) -> Result<Vec<f32>, String> {
    match body.as_chunks::<4>() {
        (chunks, []) => Ok(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
        _ => Err(format!("{} bytes are no 32-bit numbers", body.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_takes_along_what_belongs_to_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.onnx", "a.onnx.data", "card.json", "b.onnx"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let store = folder.path().join("store");
        place(&folder.path().join("a.onnx"), &store, "m").unwrap();
        let mut names: Vec<_> = fs::read_dir(store.join("m/1")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a.onnx.data", "card.json", "model.onnx"]);
    }

    #[test]
    fn a_body_is_whole_numbers() {
        assert_eq!(floats(&1.5f32.to_le_bytes()), Ok(vec![1.5]));
        assert!(floats(&[0; 6]).is_err());
    }
}
