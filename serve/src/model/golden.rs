//! The golden samples of a card, run on the very runtime and device that will serve.

use super::Model;
use crate::Error;
use crate::runtime::squeezed;
use selfie_models::golden::Golden;
use serde::Serialize;

/// What a golden sample gave when the model was loaded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proof {
    /// Items of the sample.
    pub batch: usize,
    /// Largest absolute difference from what the card expects.
    pub largest_difference: f32,
    /// Largest difference that the card allows.
    pub tolerance: f32,
}

/// Runs every golden sample. A model without samples passes; that is said in the log.
///
/// # Errors
/// [`Error::Golden`] names the sample, the output and the difference.
pub(super) fn check(model: &Model) -> Result<Vec<Proof>, Error> {
    let samples = &model.card().golden;
    if samples.is_empty() {
        tracing::warn!(
            "{}: its card holds no golden samples, so nothing proves its numbers",
            model.file.path.display()
        );
    }
    let mut proofs = Vec::with_capacity(samples.len());
    for (index, sample) in samples.iter().enumerate() {
        let largest_difference = run(model, sample).map_err(|source| Error::Golden {
            path: model.file.path.clone(),
            sample: index,
            runtime: model.choice.runtime,
            device: model.choice.device.to_string(),
            source: Box::new(source),
        })?;
        tracing::info!(
            "{}: golden sample {index} holds, largest difference {largest_difference:e}",
            model.file.path.display()
        );
        let batch = sample.input.shape.first().copied().unwrap_or(0);
        proofs.push(Proof { batch, largest_difference, tolerance: sample.tolerance });
    }
    Ok(proofs)
}

fn run(model: &Model, sample: &Golden) -> Result<f32, selfie_models::Error> {
    let wrong = |output: &str, reason: String| selfie_models::Error::Golden { output: output.to_owned(), reason };
    let shape = &sample.input.shape;
    let batch = shape.first().copied().unwrap_or(0);
    let expected = model.card().input.shape(batch);
    if batch == 0 || shape[..] != expected {
        return Err(wrong(
            "",
            format!("its input has shape {shape:?}, the card says {:?} after the batch", &expected[1..]),
        ));
    }
    let names = model.file.output_names();
    if let Some(unknown) = sample.outputs.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(wrong(unknown, format!("it is not among the card's outputs {names:?}")));
    }
    let values = sample.input.values();
    let step = model.largest_batch().unwrap_or(batch).max(1);
    let mut rows = Vec::with_capacity(batch);
    for chunk in values.chunks(step * model.preprocessor.item_len()) {
        let count = chunk.len() / model.preprocessor.item_len();
        rows.extend(model.run_values(count, chunk).map_err(|reason| wrong("", reason))?);
    }
    let mut largest = 0.0f32;
    for ((index, name), width) in names.iter().enumerate().zip(model.file.output_widths()) {
        if let Some(expected) = sample.outputs.get(*name) {
            let found: Vec<f32> = rows.iter().flat_map(|row| row.outputs[index].iter().copied()).collect();
            let shape = [batch, width];
            let shape = if squeezed(&expected.shape) == shape { expected.shape.as_slice() } else { &shape };
            largest = largest.max(sample.compare(name, shape, &found)?);
        }
    }
    Ok(largest)
}
