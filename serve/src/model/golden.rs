//! The golden samples of a card, run on the very runtime and device that will serve.

use super::Model;
use crate::Error;
use selfie_models::golden::Golden;

/// Runs every golden sample. A model without samples passes; that is said in the log.
///
/// # Errors
/// [`Error::Golden`] names the sample, the output and the difference.
pub fn check(model: &Model) -> Result<(), Error> {
    let samples = &model.card().golden;
    if samples.is_empty() {
        tracing::warn!(
            "{}: its card holds no golden samples, so nothing proves its numbers",
            model.file.path.display()
        );
    }
    for (index, sample) in samples.iter().enumerate() {
        let largest = run(model, sample).map_err(|source| Error::Golden {
            path: model.file.path.clone(),
            sample: index,
            runtime: model.choice.runtime,
            device: model.choice.device.to_string(),
            source: Box::new(source),
        })?;
        tracing::info!("{}: golden sample {index} holds, largest difference {largest:e}", model.file.path.display());
    }
    Ok(())
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
    let step = model.file.fixed_batch.unwrap_or(batch).max(1);
    let mut rows = Vec::with_capacity(batch);
    for chunk in values.chunks(step * model.preprocessor.item_len()) {
        let count = chunk.len() / model.preprocessor.item_len();
        rows.extend(model.run_values(count, chunk).map_err(|reason| wrong("", reason))?);
    }
    let mut largest = 0.0f32;
    for ((index, name), width) in names.iter().enumerate().zip(model.file.output_widths()) {
        if sample.outputs.contains_key(*name) {
            let found: Vec<f32> = rows.iter().flat_map(|row| row.outputs[index].iter().copied()).collect();
            largest = largest.max(sample.compare(name, &[batch, width], &found)?);
        }
    }
    Ok(largest)
}
