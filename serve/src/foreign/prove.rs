//! Runs a foreign model: how wide its outputs are, and what it answers to the golden inputs.

use crate::Error;
use crate::model_file::{self, ModelFile};
use crate::runtime::{Candidate, Choice, Options, Output, Session, Values, choose, refused, squeezed};
use selfie_models::Card;
use selfie_models::card::InputDtype;
use selfie_models::golden::{self, Algorithm, Generator, Golden};
use std::path::Path;
use tract_onnx::pb::GraphProto;

/// Batches of the golden samples, where the batch is free.
const BATCHES: &[usize] = &[1, 2];
/// Part of the largest number of an output by which other runtimes may differ.
const TOLERANCE: f32 = 1e-3;
/// Range of a normalised input.
const FLOATS: (f64, f64) = (-2.0, 2.0);
const BYTES: (f64, f64) = (0.0, 256.0);

/// Fills in the widths and labels of the outputs and the golden samples of the card, and says what ran: the file at `runs`, which is to
/// become that at `path`.
///
/// # Errors
/// The runtime is missing or refuses the model, an output is no row for each image, or the labels are too few or too many.
pub fn prove(
    path: &Path,
    runs: &Path,
    graph: &GraphProto,
    card: &mut Card,
    labels: Option<Vec<String>>,
    options: &Options,
) -> Result<String, Error> {
    let wrong = |reason: String| Error::ModelFile { path: path.to_owned(), reason };
    let fixed_batch = model_file::check(graph, card).map_err(wrong)?;
    let file = ModelFile { path: runs.to_owned(), card: card.clone(), fixed_batch, sha256: String::new() };
    let (session, choice) = first(&file, options)?;
    let fails = |reason: String| Error::Load { path: path.to_owned(), runtime: choice.runtime, reason };
    let names: Vec<String> = file.output_names().into_iter().map(str::to_owned).collect();
    let batches = fixed_batch.map_or(BATCHES.to_vec(), |batch| vec![batch]);
    for (seed, batch) in batches.into_iter().enumerate() {
        let (low, high) = if card.input.dtype == InputDtype::U8 { BYTES } else { FLOATS };
        let (generator, shape) = (Algorithm::SplitMix64Uniform, card.input.shape(batch).to_vec());
        let input = Generator { generator, seed: seed as u64 + 1, shape, low, high };
        let outputs = run(&*session, &input, card.input.dtype)
            .map_err(|reason| fails(format!("a batch of {batch} fails: {reason}")))?;
        for (name, output) in names.iter().zip(&outputs) {
            let width = width(name, output, batch).map_err(wrong)?;
            widen(card, name, width, labels.as_deref()).map_err(wrong)?;
        }
        let largest =
            outputs.iter().flat_map(|output| &output.values).fold(1.0f32, |most, value| most.max(value.abs()));
        let pack =
            |(name, output): (&String, Output)| (name.clone(), golden::Values::pack(&output.shape, &output.values));
        let outputs = names.iter().zip(outputs).map(pack).collect();
        card.golden.push(Golden { input, outputs, tolerance: TOLERANCE * largest });
    }
    Ok(format!("golden samples: as {} on {} answers here", choice.runtime, choice.device))
}

/// The model on the first runtime that takes it.
fn first(file: &ModelFile, options: &Options) -> Result<(Box<dyn Session>, Choice), Error> {
    let mut refusals = Vec::new();
    for Candidate { runtime, choice } in choose(options)? {
        match runtime.load(file, choice.device, options) {
            Ok(session) => return Ok((session, choice)),
            Err(error) => refusals.push(error),
        }
    }
    Err(refused(refusals))
}

fn run(session: &dyn Session, input: &Generator, dtype: InputDtype) -> Result<Vec<Output>, String> {
    let values = input.values();
    match dtype {
        InputDtype::F32 => session.run(&input.shape, &Values::F32(vec![&values])),
        InputDtype::U8 => {
            let bytes: Vec<u8> = values.iter().map(|value| *value as u8).collect();
            session.run(&input.shape, &Values::U8(vec![&bytes]))
        }
    }
}

/// The width of an output that is one row of finite numbers for each image.
fn width(name: &str, output: &Output, batch: usize) -> Result<usize, String> {
    let [rows, width] = *squeezed(&output.shape) else {
        let shape = &output.shape;
        return Err(format!("its output \"{name}\" has the shape {shape:?}; one row for each image can be served"));
    };
    if rows != batch || width == 0 {
        return Err(format!("its output \"{name}\" has {rows} rows of {width} for {batch} images"));
    }
    if !output.values.iter().all(|value| value.is_finite()) {
        return Err(format!("its output \"{name}\" holds numbers that are not finite"));
    }
    Ok(width)
}

/// Gives the output its width, or a label for each score.
fn widen(card: &mut Card, name: &str, width: usize, labels: Option<&[String]>) -> Result<(), String> {
    if let Some(embedding) = card.outputs.embedding.as_mut().filter(|output| output.name == name) {
        embedding.width = width;
    }
    if let Some(logits) = card.outputs.logits.as_mut().filter(|output| output.name == name) {
        logits.labels = match labels {
            Some(labels) if labels.len() == width => labels.to_vec(),
            Some(labels) => {
                let (found, file) = (labels.len(), super::labels::FILE);
                return Err(format!(
                    "its output \"{name}\" has {width} scores, {file} beside it names {found} classes"
                ));
            }
            None => (0..width).map(|class| format!("class {class}")).collect(),
        };
    }
    Ok(())
}
