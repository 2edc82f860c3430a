//! From a run folder, or from an ONNX file of ours, to a verified ONNX file.

pub mod bench;
mod cases;
#[cfg_attr(not(feature = "train"), path = "no_data.rs")]
mod data;
mod named;
pub mod optimize;
mod passes;
mod precision;
mod print;
mod runtimes;
mod source;

pub use cases::{golden as golden_cases, input};
pub use passes::Passes;
pub use precision::{Options as PrecisionOptions, Report as PrecisionReport};
pub use print::print;
pub use runtimes::{Loadable, objection, onnxruntime};
pub use source::answers;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use data::Score;
use selfie_export::ir::ElementType;
use selfie_export::passes::PassReport;
use selfie_export::verify::{OnnxRuntime, Row};
use selfie_export::{Model, Prefix};
use selfie_models::Card;
use selfie_models::card::{CARD_KEY, InputDtype, Layout};
use selfie_models::card_file::{self, CARD_FILE, Found};
use selfie_models::digest::{self, DATA_DIGEST_KEY, DIGEST_KEY};
use selfie_models::golden::Values;
use selfie_models::samples::{self, GOLDEN_TOLERANCE};
use source::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What an export is asked for.
pub struct Request<'a> {
    /// Folder of a finished run, or an ONNX file of ours.
    pub source: &'a Path,
    /// Model store, or a file that ends with `.onnx`.
    pub out: &'a Path,
    /// Name of the model instead of the card's.
    pub name: Option<&'a str>,
    /// Version of ONNX's operators, the compiler's own choice unless it is given.
    pub opset: Option<i64>,
    /// Batch size instead of a dynamic one.
    pub batch: Option<usize>,
    /// What the file takes.
    pub input: InputForm,
    /// Whether weights go to a second file; they do anyway where one cannot hold them.
    pub external_data: bool,
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
    /// What the model makes of test images before and after its precision was lowered.
    pub scores: Option<(Score, Score)>,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Size of the file, or of both.
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
    if let Some(batch) = cases::fixed_batch(&model) {
        card.golden.retain(|golden| golden.input.shape[0] == batch);
    }
    let mut scores = None;
    let rows = if request.precision.lowers() {
        let noise = !request.precision.calibrates();
        let cases = cases::lowered(&reference, &model, &card, pictures.as_ref(), noise)?;
        let rows = Loadable::of(&model)?.compare(&cases, None, f64::INFINITY, onnxruntime.as_ref())?;
        let mut lowered = request.precision.provenance(&rows)?;
        if let (Some(pictures), Some(runner)) = (&pictures, &onnxruntime) {
            let (before, after) = (pictures.score(runner, &plain.0, &plain.1)?, pictures.score(runner, &model, &card)?);
            scores = before.zip(after);
            lowered.accuracy = scores.map(|(before, after)| [before.accuracy, after.accuracy]);
        }
        match (&onnxruntime, noise) {
            (Some(runner), false) => own_golden(&mut card, &model, runner)?,
            _ => widen(&mut card, &lowered.max_abs_error),
        }
        card.provenance.precision = Some(lowered);
        rows
    } else {
        let cases = [cases::random(&reference, &model, &card)?, cases::edges(&reference, &model, &card)?].concat();
        let rows = Loadable::of(&model)?.compare(&cases, None, GOLDEN_TOLERANCE.into(), onnxruntime.as_ref())?;
        if let Some(row) = objection(&rows, false) {
            let reason = if row.refused { "is not proven" } else { "differs from Burn" };
            bail!("the compiled model {reason} and is not written: {}", print::describe(row));
        }
        rows
    };
    card.provenance.verified = cases::verified(&rows);
    model.set_metadata(CARD_KEY, card.to_json()?);
    let path = place(request.out, &card.name)?;
    if request.external_data {
        model.save_external(&path)?
    } else {
        model.save(&path)?
    }
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    // Weights of an earlier export may lie there, which this model does not read.
    let apart = request.external_data || size(&path) < model.graph().constant_bytes() as u64;
    let bytes = size(&path) + if apart { size(&digest::data_path(&path)) } else { 0 };
    Ok(Compiled { path, rows, passes, precision, scores, nodes: model.graph().nodes.len(), bytes })
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

/// Lets golden samples differ by a multiple of the largest error: ONNX Runtime keeps 32 bits between the nodes on a
/// processor, and a runtime that rounds after every node, as the file says, is up to 3.3 times as far off.
fn widen(card: &mut Card, errors: &BTreeMap<String, f64>) {
    const TIMES: f64 = 4.0;
    let tolerance = errors.values().copied().fold(0.0, f64::max) * TIMES;
    let tolerance = tolerance.max(GOLDEN_TOLERANCE.into()) as f32;
    card.golden.iter_mut().for_each(|golden| golden.tolerance = tolerance);
}

/// Golden samples of integers: noise is far from the images that gave the scales, so the model's own answers are right.
fn own_golden(card: &mut Card, model: &Model, runner: &OnnxRuntime) -> anyhow::Result<()> {
    /// Part of the largest number by which runtimes may differ: they round sums of integers in different places.
    const PART: f32 = 0.05;
    let loadable = Loadable::of(model)?;
    let mut session = loadable.load(runner)?;
    for index in 0..card.golden.len() {
        let golden = &card.golden[index];
        let outputs = session.run(&[cases::input(card, golden.input.values(), &golden.input.shape)])?;
        let golden = &mut card.golden[index];
        let mut largest = 0.0f32;
        for (name, data) in outputs {
            let values: Vec<f32> = data.iter::<f32>().collect();
            largest = values.iter().fold(largest, |largest, value| largest.max(value.abs()));
            golden.outputs.insert(name, Values::pack(&data.shape().to_vec(), &values));
        }
        golden.tolerance = largest * PART;
    }
    Ok(())
}

/// The place of a new model: the file itself, or the next version in a store.
fn place(out: &Path, name: &str) -> anyhow::Result<PathBuf> {
    if out.extension().is_some_and(|extension| extension == "onnx") {
        let beside = out.with_file_name(CARD_FILE);
        ensure!(
            !beside.is_file(),
            "{} would replace the card of a model beside it; name another folder",
            beside.display()
        );
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

/// The card of a model file, in it or beside it.
pub fn found_card(path: &Path, metadata: &BTreeMap<String, String>) -> anyhow::Result<Option<Found>> {
    card_file::find(path, |key| metadata.get(key).map(String::as_str)).with_context(|| path.display().to_string())
}

/// Checks the digests that a file states of itself and of its weights, and says which it is.
pub fn stated_digest(path: &Path, file: &[u8], metadata: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let Some(stated) = metadata.get(DIGEST_KEY) else {
        return Ok(format!("none in the file ({DIGEST_KEY}), so a change of it goes unnoticed"));
    };
    digest::check(file, stated).with_context(|| path.display().to_string())?;
    if let Some(stated) = metadata.get(DATA_DIGEST_KEY) {
        digest::check_data(path, stated).with_context(|| path.display().to_string())?;
    }
    Ok(format!("{stated}, right"))
}
