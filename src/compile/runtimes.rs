//! Models in the runtimes that are here.

use super::named::Named;
use anyhow::Context;
use burn::tensor::TensorData;
use selfie_export::verify::{
    Case, OnnxRuntime, Row, RtenRunner, Runner, Session, Tolerance, TractRunner, verify, verify_file,
};
use selfie_export::{Error, Model};
use std::path::PathBuf;
use tempfile::TempDir;

/// A model where a runtime can load it.
pub enum Loadable {
    /// In memory.
    Bytes(Vec<u8>),
    /// A file, with its weights beside it where it keeps them apart.
    File(PathBuf),
    /// A file that lasts as long as this.
    Staged(TempDir),
}

/// Name of a model in a folder of its own.
const STAGED: &str = "model.onnx";

impl Loadable {
    /// A model that is not written yet: in memory, or in a temporary folder where it is too large for that.
    pub fn of(model: &Model) -> anyhow::Result<Self> {
        match model.to_bytes() {
            Ok(bytes) => Ok(Self::Bytes(bytes)),
            Err(Error::TooLarge { .. }) => {
                let folder = tempfile::tempdir().context("no folder for a model of more than 2 GiB can be made")?;
                model.save_external(folder.path().join(STAGED))?;
                Ok(Self::Staged(folder))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Loads it.
    pub fn load(&self, runner: &dyn Runner) -> Result<Box<dyn Session>, Error> {
        match self {
            Self::Bytes(bytes) => runner.load(bytes),
            Self::File(path) => runner.load_file(path),
            Self::Staged(folder) => runner.load_file(&folder.path().join(STAGED)),
        }
    }

    /// Runs cases in every runtime that is here, and compares the outputs of these names, or all. A runtime that refuses the
    /// model is one row with its reason.
    pub fn compare(
        &self,
        cases: &[Case],
        names: Option<&[String]>,
        absolute: f64,
        onnxruntime: Option<&OnnxRuntime>,
    ) -> anyhow::Result<Vec<Row>> {
        let tolerance = Tolerance { absolute, relative: 0.0 };
        let mut runners: Vec<&dyn Runner> = vec![&TractRunner, &RtenRunner];
        runners.extend(onnxruntime.map(|runner| runner as &dyn Runner));
        let mut rows = Vec::new();
        for runner in runners {
            let runner = Named { runner, names };
            let found = match self {
                Self::Bytes(bytes) => verify(bytes, cases, &[&runner], tolerance),
                Self::File(path) => verify_file(path, cases, &[&runner], tolerance),
                Self::Staged(folder) => verify_file(&folder.path().join(STAGED), cases, &[&runner], tolerance),
            };
            match found {
                Ok(found) => rows.extend(found),
                Err(error @ Error::Runner { .. }) => rows.push(Row {
                    runner: runner.name(),
                    batch: 0,
                    output: "all".to_owned(),
                    max_abs_error: f64::INFINITY,
                    cosine: 0.0,
                    ok: false,
                    failure: Some(error.to_string()),
                }),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(rows)
    }
}

/// The outputs of one run by name.
pub(super) fn outputs_by_name(
    runner: &dyn Runner,
    model: &[u8],
    images: &TensorData,
) -> anyhow::Result<Vec<(String, TensorData)>> {
    Ok(runner.load(model)?.run(std::slice::from_ref(images))?)
}

/// ONNX Runtime where it is installed, by the rules of the server.
#[cfg(feature = "serve")]
pub fn onnxruntime() -> anyhow::Result<Option<OnnxRuntime>> {
    use selfie_serve::runtime::{Options, library};
    let options = Options::default();
    match library::locate(&options) {
        Ok(path) => Ok(Some(OnnxRuntime::new(path)?)),
        Err(_) => Ok(None),
    }
}

#[cfg(not(feature = "serve"))]
pub fn onnxruntime() -> anyhow::Result<Option<OnnxRuntime>> {
    Ok(OnnxRuntime::from_env()?)
}
