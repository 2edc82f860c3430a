//! What a compiled model is asked before it is written, and what it was found to give.

use super::data::Pictures;
use super::source::Reference;
use anyhow::Context;
use burn::tensor::TensorData;
use selfie_export::Model;
use selfie_export::verify::{Case, Kind, Row};
use selfie_models::Card;
use selfie_models::card::{InputDtype, Verified};
use selfie_models::golden::Golden;
use selfie_models::samples::{self, GOLDEN_BATCHES};

/// Random inputs of several batch sizes and the right answers.
pub fn random(reference: &Reference, model: &Model, card: &Card) -> anyhow::Result<Vec<Case>> {
    let batches = fixed_batch(model).map_or(GOLDEN_BATCHES.to_vec(), |batch| vec![batch]);
    batches.into_iter().map(|batch| case(reference, model, card, Kind::Usual, batch)).collect()
}

/// Inputs at the edge of what a network expects and the right answers.
pub fn edges(reference: &Reference, model: &Model, card: &Card) -> anyhow::Result<Vec<Case>> {
    let batch = fixed_batch(model).unwrap_or(GOLDEN_BATCHES[0]);
    model.edges().iter().map(|kind| case(reference, model, card, *kind, batch)).collect()
}

fn case(reference: &Reference, model: &Model, card: &Card, kind: Kind, batch: usize) -> anyhow::Result<Case> {
    let inputs = model.inputs_of(kind, &[("batch", batch)], 1000 + batch as u64)?;
    let values: Vec<f32> = inputs[0].iter::<f32>().collect();
    let answers = reference.answer(samples::network_input(card, batch, &values))?;
    Ok(Case { kind, inputs, expected: answers.into_iter().map(|(_, data)| data).collect() })
}

/// The golden samples of a card, for outputs of these names.
pub fn golden(card: &Card, names: &[String]) -> anyhow::Result<Vec<Case>> {
    let case = |golden: &Golden| {
        let expected = names.iter().map(|name| {
            let values = golden.outputs.get(name).with_context(|| format!("no golden values of output {name:?}"))?;
            Ok(TensorData::new(values.unpack()?, values.shape.clone()))
        });
        let expected = expected.collect::<anyhow::Result<_>>()?;
        Ok(Case::new(vec![input(card, golden.input.values(), &golden.input.shape)], expected))
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

/// Inputs for a model in lower precision: test images where there are any, and noise, which scales from images do not fit.
pub fn lowered(
    reference: &Reference,
    model: &Model,
    card: &Card,
    pictures: Option<&Pictures>,
    noise: bool,
) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    if noise {
        let names: Vec<String> = model.outputs().into_iter().map(|output| output.name).collect();
        cases = [random(reference, model, card)?, golden(card, &names)?].concat();
    }
    for (input, normalised) in pictures.map_or(Ok(vec![]), |pictures| pictures.examples(model, card))? {
        let expected = reference.answer(normalised)?.into_iter().map(|(_, data)| data).collect();
        cases.push(Case::new(vec![input], expected));
    }
    Ok(cases)
}

/// What each runtime that ran the model was found to give, in the order of the rows. Errors are rounded, for their last digits
/// are the machine's.
pub fn verified(rows: &[Row]) -> Vec<Verified> {
    let mut found: Vec<Verified> = Vec::new();
    for row in rows.iter().filter(|row| row.failure.is_none()) {
        if found.last().is_none_or(|last| last.runtime != row.runner) {
            found.push(Verified { runtime: row.runner.to_owned(), ..Verified::default() });
        }
        let Some(last) = found.last_mut() else { continue };
        last.comparisons += 1;
        if row.kind == Kind::Usual {
            last.max_abs_error = last.max_abs_error.max(row.max_abs_error);
        }
    }
    let rounded = |error: f64| format!("{error:.0e}").parse().unwrap_or(error);
    found.iter_mut().for_each(|found| found.max_abs_error = rounded(found.max_abs_error));
    found
}

/// The batch size of a model that takes no other.
pub fn fixed_batch(model: &Model) -> Option<usize> {
    model.inputs().first()?.shape.first()?.parse().ok()
}
