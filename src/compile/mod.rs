//! From a run folder, or from an ONNX file of ours, to a verified ONNX file.

#[cfg_attr(not(feature = "train"), path = "no_data.rs")]
mod data;
mod passes;
mod precision;
mod print;
mod source;

pub use passes::Passes;
pub use precision::{Options as PrecisionOptions, Report as PrecisionReport};
pub use print::print;
pub use source::answers;

use anyhow::{Context, bail, ensure};
use burn::tensor::TensorData;
use clap::ValueEnum;
use precision::errors;
use selfie_export::ir::ElementType;
use selfie_export::passes::PassReport;
use selfie_export::verify::{Case, OnnxRuntime, Row, Runner, Tolerance, TractRunner, verify};
use selfie_export::{Error, Model, Prefix};
use selfie_models::Card;
use selfie_models::card::{CARD_KEY, InputDtype, Layout};
use selfie_models::golden::Golden;
use selfie_models::samples::{self, GOLDEN_BATCHES, GOLDEN_TOLERANCE};
use source::{Reference, Source};
use std::path::{Path, PathBuf};

/// What an export is asked for.
pub struct Request<'a> {
    /// Folder of a finished run, or an ONNX file of ours.
    pub source: &'a Path,
    /// Model store, or a file that ends with `.onnx`.
    pub out: &'a Path,
    /// Name of the model instead of the card's.
    pub name: Option<&'a str>,
    /// Version of ONNX's operators, 17 unless it is given.
    pub opset: Option<i64>,
    /// Batch size instead of a dynamic one.
    pub batch: Option<usize>,
    /// What the file takes.
    pub input: InputForm,
    /// How numbers are stored and computed.
    pub precision: PrecisionOptions,
    /// Which passes run.
    pub passes: Passes,
}

/// What a file takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum InputForm {
    /// Normalised floats, channels first.
    #[default]
    F32,
    /// Bytes as a decoder gives them, channels last; the file normalises.
    U8,
}

/// What an export gave.
pub struct Compiled {
    /// The file.
    pub path: PathBuf,
    /// Right answers against every runtime.
    pub rows: Vec<Row>,
    /// What the passes did.
    pub passes: PassReport,
    /// What lowering the precision did.
    pub precision: PrecisionReport,
    /// The card in the file.
    pub card: Card,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Size of the file.
    pub bytes: u64,
}

/// Compiles, compares the file with right answers in every runtime that is here, and only then puts it in its place.
pub fn compile(request: &Request) -> anyhow::Result<Compiled> {
    request.precision.check()?;
    let onnxruntime = onnxruntime()?;
    let mut source = Source::open(request, onnxruntime.as_ref())?;
    let passes = source.model.report().clone();
    request.passes.write_dumps(&passes)?;
    let pictures = request.precision.pictures(&source)?;
    let plain = (source.model.clone(), source.card.clone());
    let precision = request.precision.apply(&mut source, pictures.as_ref(), onnxruntime.as_ref())?;
    let Source { mut card, mut model, reference } = source;
    if let Some(name) = request.name {
        card.name = name.to_owned();
    }
    if request.input == InputForm::U8 {
        take_bytes(&mut model, &mut card)?;
    }
    card.golden = samples::record(&card, |images| reference.answer(images))?;
    if let Some(batch) = fixed_batch(&model) {
        card.golden.retain(|golden| golden.input.shape[0] == batch);
    }
    let names: Vec<String> = model.outputs().into_iter().map(|output| output.name).collect();
    let mut cases = random_cases(&reference, &model, &card)?;
    let rows = if request.precision.lowers() {
        cases.extend(golden_cases(&card, &names)?);
        let rows = errors(&model.to_bytes()?, &cases, onnxruntime.as_ref())?;
        let mut lowered = request.precision.provenance(&rows)?;
        let tolerance = tolerance(&lowered.max_abs_error);
        card.golden.iter_mut().for_each(|golden| golden.tolerance = tolerance);
        if let (Some(pictures), Some(runner)) = (&pictures, &onnxruntime) {
            let before = pictures.accuracy(runner, &plain.0, &plain.1)?;
            let after = pictures.accuracy(runner, &model, &card)?;
            lowered.accuracy = before.zip(after).map(|(before, after)| [before, after]);
        }
        card.provenance.precision = Some(lowered);
        rows
    } else {
        let rows = compare(&model.to_bytes()?, &cases, GOLDEN_TOLERANCE.into(), onnxruntime.as_ref())?;
        if let Some(row) = rows.iter().find(|row| !row.ok) {
            bail!("the compiled model differs from Burn and is not written: {}", print::describe(row));
        }
        rows
    };
    model.set_metadata(CARD_KEY, card.to_json()?);
    let bytes = model.to_bytes()?.len() as u64;
    let path = place(request.out, &card.name)?;
    model.save(&path)?;
    Ok(Compiled { path, rows, passes, precision, nodes: model.graph().nodes.len(), bytes, card })
}

/// Lets the model take bytes as a decoder gives them.
fn take_bytes(model: &mut Model, card: &mut Card) -> anyhow::Result<()> {
    let steps = &card.preprocessing;
    let affine = |(mean, std): (&f32, &f32)| {
        let (mean, std) = (f64::from(*mean), f64::from(*std));
        ((steps.rescale_factor / std) as f32, (-mean / std) as f32)
    };
    let affine = steps.image_mean.iter().zip(&steps.image_std).map(affine).collect();
    model.prefix_input(&card.input.name, &Prefix { dtype: ElementType::U8, channels_last: true, affine })?;
    (card.input.dtype, card.input.layout) = (InputDtype::U8, Layout::Nhwc);
    Ok(())
}

/// Twice the largest error, for other processors round otherwise.
fn tolerance(errors: &std::collections::BTreeMap<String, f64>) -> f32 {
    (errors.values().copied().fold(0.0, f64::max) * 2.0).max(GOLDEN_TOLERANCE.into()) as f32
}

fn fixed_batch(model: &Model) -> Option<usize> {
    model.inputs().first()?.shape.first()?.parse().ok()
}

/// Random inputs of several batch sizes and the right answers.
fn random_cases(reference: &Reference, model: &Model, card: &Card) -> anyhow::Result<Vec<Case>> {
    let batches = fixed_batch(model).map_or(GOLDEN_BATCHES.to_vec(), |batch| vec![batch]);
    let case = |batch: usize| {
        let inputs = model.random_inputs(&[("batch", batch)], 1000 + batch as u64)?;
        let values: Vec<f32> = inputs[0].iter::<f32>().collect();
        let answers = reference.answer(samples::network_input(card, batch, &values))?;
        Ok(Case { inputs, expected: answers.into_iter().map(|(_, data)| data).collect() })
    };
    batches.into_iter().map(case).collect()
}

/// The golden samples of a card, for outputs of these names.
pub fn golden_cases(card: &Card, names: &[String]) -> anyhow::Result<Vec<Case>> {
    let case = |golden: &Golden| {
        let expected = names.iter().map(|name| {
            let values = golden.outputs.get(name).with_context(|| format!("no golden values of output {name:?}"))?;
            Ok(TensorData::new(values.unpack()?, values.shape.clone()))
        });
        let expected = expected.collect::<anyhow::Result<_>>()?;
        Ok(Case { inputs: vec![input(card, golden.input.values(), &golden.input.shape)], expected })
    };
    card.golden.iter().map(case).collect()
}

/// Numbers as the input of a model with this card.
pub fn input(card: &Card, values: Vec<f32>, shape: &[usize]) -> TensorData {
    match card.input.dtype {
        InputDtype::F32 => TensorData::new(values, shape.to_vec()),
        InputDtype::U8 => TensorData::new(values.into_iter().map(|value| value as u8).collect(), shape.to_vec()),
    }
}

/// Runs cases in every runtime that is here. A runtime that refuses the model is one row with its reason.
pub fn compare(
    model: &[u8],
    cases: &[Case],
    absolute: f64,
    onnxruntime: Option<&OnnxRuntime>,
) -> anyhow::Result<Vec<Row>> {
    let tolerance = Tolerance { absolute, relative: 0.0 };
    let mut runners: Vec<&dyn Runner> = vec![&TractRunner];
    runners.extend(onnxruntime.map(|runner| runner as &dyn Runner));
    let mut rows = Vec::new();
    for runner in runners {
        match verify(model, cases, &[runner], tolerance) {
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

/// The outputs of one run by name.
fn outputs_by_name(
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

/// The place of a new model: the file itself, or the next version in a store.
fn place(out: &Path, name: &str) -> anyhow::Result<PathBuf> {
    if out.extension().is_some_and(|extension| extension == "onnx") {
        if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        return Ok(out.to_owned());
    }
    ensure!(!out.is_file(), "{} is a file that does not end with .onnx; name a .onnx file or a folder", out.display());
    let folder = out.join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let versions = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let folder = folder.join((versions.max().unwrap_or(0) + 1).to_string());
    std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.join("model.onnx"))
}
