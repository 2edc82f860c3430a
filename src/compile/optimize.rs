//! Any ONNX file through the passes, proven against what it was.

use super::{Passes, onnxruntime, print};
use anyhow::{Context, bail, ensure};
use burn::tensor::TensorData;
use selfie_export::OnnxFile;
use selfie_export::passes::PassReport;
use selfie_export::verify::{Case, OnnxRuntime, Row, Runner, Session, Tolerance, verify_file};
use std::path::Path;

/// Sizes of the open axes that nobody gave a size.
const SIZES: [usize; 3] = [1, 2, 7];
/// How far a number may be from the original's, as a part of it and of the largest.
const PART: f64 = 1e-4;

/// What is asked for.
pub struct Request<'a> {
    /// The file.
    pub source: &'a Path,
    /// Where the simpler one goes; may be the same.
    pub out: &'a Path,
    /// Sizes of open axes for the comparison.
    pub sizes: &'a [(String, usize)],
    /// Whether weights go to a file of their own.
    pub external_data: bool,
    /// Which passes run.
    pub passes: Passes,
}

/// What came of it.
pub struct Optimized {
    /// The comparison.
    pub rows: Vec<Row>,
    /// What the passes did.
    pub passes: PassReport,
    /// Nodes that no pass may change.
    pub untouched: usize,
}

/// Simplifies, compares with the original in ONNX Runtime, and only then puts the file in its place.
pub fn optimize(request: &Request) -> anyhow::Result<Optimized> {
    let Request { source, out, sizes, external_data, .. } = request;
    let mut file = OnnxFile::read(source)?;
    let unknown = sizes.iter().find(|(name, _)| !file.dynamic_axes().contains(&name.as_str()));
    if let Some((name, _)) = unknown {
        bail!("{} has no open axis {name:?}; it has {:?}", source.display(), file.dynamic_axes());
    }
    let untouched = file.untouched();
    let passes = file.optimize(&request.passes.driver())?;
    request.passes.write_dumps(&passes)?;
    let runtime = onnxruntime()?.context(
        "a simplified file is compared with the original in ONNX Runtime, which is not here; `selfie runtime install` \
         brings it",
    )?;
    let cases = cases(&file, source, sizes, &runtime)?;
    let name = out.file_name().with_context(|| format!("{} is no name of a file", out.display()))?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new().prefix(".optimize-").tempdir_in(parent);
    let folder = folder.with_context(|| format!("cannot write to {}", parent.display()))?;
    let save = |place: &Path| if *external_data { file.save_external(place) } else { file.save(place) };
    let staged = folder.path().join(name);
    save(&staged)?;
    let rows = verify_file(&staged, &cases, &[&runtime], tolerance(&cases))?;
    if let Some(row) = rows.iter().find(|row| !row.ok) {
        bail!(
            "the simplified file differs from {} and is not written: {}; --stop-after and --only find the pass",
            source.display(),
            print::describe(row)
        );
    }
    save(out)?;
    Ok(Optimized { rows, passes, untouched })
}

/// Random inputs, and what the original answers. Sizes at which it does not run itself prove nothing and are left out.
fn cases(
    file: &OnnxFile,
    source: &Path,
    sizes: &[(String, usize)],
    runtime: &OnnxRuntime,
) -> anyhow::Result<Vec<Case>> {
    let mut session = runtime.load_file(source)?;
    let (mut cases, mut failure) = (vec![], None);
    let given = |axis: &str| sizes.iter().find(|(name, _)| name == axis).map(|(_, size)| *size);
    for (seed, size) in SIZES.into_iter().enumerate() {
        let axes: Vec<(&str, usize)> =
            file.dynamic_axes().into_iter().map(|axis| (axis, given(axis).unwrap_or(size))).collect();
        let inputs = file.random_inputs(&axes, seed as u64)?;
        match run(session.as_mut(), &inputs) {
            Ok(expected) => cases.push(Case::new(inputs, expected)),
            Err(error) => failure = Some(error),
        }
    }
    if let (true, Some(error)) = (cases.is_empty(), failure) {
        let axes = file.dynamic_axes();
        return Err(error.context(format!(
            "ONNX Runtime does not run {} on random inputs, so nothing can be compared; --size NAME=N chooses the sizes \
             of its open axes {axes:?}",
            source.display()
        )));
    }
    let numbers = |case: &Case| case.expected.iter().flat_map(|data| data.iter::<f64>()).any(f64::is_finite);
    ensure!(
        cases.iter().any(numbers),
        "{} answers nothing but NaN or infinity to random inputs, so nothing can be compared",
        source.display()
    );
    Ok(cases)
}

fn run(session: &mut dyn Session, inputs: &[TensorData]) -> anyhow::Result<Vec<TensorData>> {
    Ok(session.run(inputs)?.into_iter().map(|(_, data)| data).collect())
}

/// Sums come in another order in a simpler graph, and their error grows with their terms.
fn tolerance(cases: &[Case]) -> Tolerance {
    let numbers = cases.iter().flat_map(|case| &case.expected).flat_map(|data| data.iter::<f64>());
    let largest = numbers.filter(|number| number.is_finite()).fold(0.0f64, |largest, number| largest.max(number.abs()));
    Tolerance { absolute: PART * largest, relative: PART }
}
