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
/// The runtime whose word is enough.
pub(super) const ONNX_RUNTIME: &str = "onnxruntime";

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

    /// Runs cases in every runtime that is here, and compares the outputs of these names, or all.
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
        let runners: Vec<Named<'_>> = runners.into_iter().map(|runner| Named { runner, names }).collect();
        let runners: Vec<&dyn Runner> = runners.iter().map(|runner| runner as &dyn Runner).collect();
        Ok(match self {
            Self::Bytes(bytes) => verify(bytes, cases, &runners, tolerance),
            Self::File(path) => verify_file(path, cases, &runners, tolerance),
            Self::Staged(folder) => verify_file(&folder.path().join(STAGED), cases, &runners, tolerance),
        }?)
    }
}

/// What speaks against a model. A runtime that refuses it does not where ONNX Runtime gives every number right, nor, in
/// lower precision, where any runtime does.
pub fn objection(rows: &[Row], lowered: bool) -> Option<&Row> {
    let right = |runner: &str| rows.iter().filter(|row| row.runner == runner).all(|row| row.ok);
    let vouched = rows.iter().any(|row| (lowered || row.runner == ONNX_RUNTIME) && right(row.runner));
    let wrong = rows.iter().find(|row| !row.ok && !row.refused);
    wrong.or_else(|| rows.iter().find(|row| row.refused && !vouched))
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

#[cfg(test)]
mod tests {
    use super::*;
    use selfie_export::verify::Kind;

    #[test]
    fn a_refusal_is_no_objection_where_a_runtime_of_weight_is_right() {
        let row = |runner: &'static str, ok: bool, refused: bool| Row {
            runner,
            batch: 2,
            kind: Kind::Usual,
            output: "logits".to_owned(),
            max_abs_error: 0.0,
            cosine: 1.0,
            ok,
            failure: None,
            refused,
        };
        let right = |runner| row(runner, true, false);
        let wrong = |runner| row(runner, false, false);
        let refusal = |runner| row(runner, false, true);
        /// Rows, and what objects to a model in 32-bit floats and to one in lower precision.
        type Case = (Vec<Row>, Option<&'static str>, Option<&'static str>);
        let cases: [Case; 7] = [
            (vec![right("tract"), right("rten"), right("onnxruntime")], None, None),
            (vec![right("tract"), refusal("rten")], Some("rten"), None),
            (vec![refusal("tract"), right("rten"), right("onnxruntime")], None, None),
            (
                vec![refusal("tract"), right("onnxruntime"), wrong("onnxruntime")],
                Some("onnxruntime"),
                Some("onnxruntime"),
            ),
            (vec![wrong("tract"), right("onnxruntime")], Some("tract"), Some("tract")),
            (vec![right("tract"), refusal("onnxruntime")], Some("onnxruntime"), None),
            (vec![refusal("tract"), refusal("rten")], Some("tract"), Some("tract")),
        ];
        for (index, (rows, full, lowered)) in cases.iter().enumerate() {
            let found = [false, true].map(|lowered| objection(rows, lowered).map(|row| row.runner));
            assert_eq!(found, [*full, *lowered], "case {index}");
        }
    }
}
