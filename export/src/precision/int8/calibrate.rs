//! Scales of activations from real inputs, and the error of each layer on them.

use std::collections::BTreeMap;

use burn::tensor::TensorData;

use super::LayerError;
use super::histogram::{Calibration, Histogram};
use super::layers::Layers;
use super::rewrite::{self, Scale};
use crate::ir::{GraphOutput, ValueId};
use crate::verify::{Runner, Session};
use crate::{Error, Model, Result};

/// The scale of every activation.
pub(super) fn scales(
    model: &Model,
    layers: &Layers,
    calibration: Calibration,
    runner: &dyn Runner,
    batches: &[Vec<TensorData>],
) -> Result<BTreeMap<ValueId, Scale>> {
    if batches.is_empty() {
        return Err(Error::Calibration("there are no inputs to calibrate with".to_string()));
    }
    let ids: Vec<ValueId> = layers.activations.iter().copied().collect();
    let mut session = session(model, &ids, runner)?;
    let mut ends = vec![(0.0f32, 0.0f32); ids.len()];
    for batch in batches {
        for ((low, high), (id, found)) in ends.iter_mut().zip(ids.iter().zip(run(session.as_mut(), batch, ids.len())?))
        {
            for value in found.iter::<f32>() {
                if !value.is_finite() {
                    let place = layer_of(model, *id);
                    return Err(Error::Calibration(format!("{place} gives {value}, which has no scale")));
                }
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
    }
    if calibration != Calibration::MinMax {
        let mut histograms: Vec<_> = ends.iter().map(|(low, high)| Histogram::new(*low, *high)).collect();
        for batch in batches {
            for (histogram, found) in histograms.iter_mut().zip(run(session.as_mut(), batch, ids.len())?) {
                found.iter::<f32>().for_each(|value| histogram.add(value));
            }
        }
        ends = histograms.iter().map(|histogram| histogram.range(calibration)).collect();
    }
    Ok(ids.into_iter().zip(ends.into_iter().map(|(low, high)| Scale::of(low, high))).collect())
}

/// The error of every layer when it alone is quantised, the largest first.
pub(super) fn errors(
    model: &Model,
    layers: &Layers,
    scales: &BTreeMap<ValueId, Scale>,
    runner: &dyn Runner,
    batches: &[Vec<TensorData>],
) -> Result<Vec<LayerError>> {
    let mut probed = model.clone();
    let graph = probed.graph_mut();
    let alone: Vec<ValueId> = layers.layers.iter().map(|layer| rewrite::beside(graph, *layer, scales)).collect();
    graph.check("the layers in 8 bits beside the graph")?;
    let outputs: Vec<ValueId> = layers.layers.iter().map(|layer| graph.nodes[layer.node].outputs[0]).collect();
    let ids = [outputs, alone].concat();
    let mut session = session(&probed, &ids, runner)?;
    let mut sums = vec![(0.0f64, 0.0f64); layers.layers.len()];
    for batch in batches {
        let found = run(session.as_mut(), batch, ids.len())?;
        let (exact, rounded) = found.split_at(layers.layers.len());
        for ((power, noise), (exact, rounded)) in sums.iter_mut().zip(exact.iter().zip(rounded)) {
            for (exact, rounded) in exact.iter::<f64>().zip(rounded.iter::<f64>()) {
                *power += exact * exact;
                *noise += (exact - rounded) * (exact - rounded);
            }
        }
    }
    let name = |node: usize| model.graph().nodes[node].label();
    let error = |(power, noise): (f64, f64)| (noise / power.max(f64::MIN_POSITIVE)).sqrt();
    let errors = layers.layers.iter().zip(sums).map(|(layer, sums)| (name(layer.node), error(sums)));
    let mut errors: Vec<_> = errors.map(|(layer, error)| LayerError { layer, error }).collect();
    errors.sort_by(|a, b| b.error.total_cmp(&a.error));
    Ok(errors)
}

/// The model with these values as its only outputs.
fn session(model: &Model, ids: &[ValueId], runner: &dyn Runner) -> Result<Box<dyn Session>> {
    let mut exposed = model.clone();
    let named = |(index, id): (usize, &ValueId)| GraphOutput { name: format!("activation.{index}"), value: *id };
    exposed.graph_mut().outputs = ids.iter().enumerate().map(named).collect();
    runner.load(&exposed.to_bytes()?)
}

fn run(session: &mut dyn Session, inputs: &[TensorData], count: usize) -> Result<Vec<TensorData>> {
    let found: Vec<_> = session.run(inputs)?.into_iter().map(|(_, data)| data).collect();
    match found.len() == count {
        true => Ok(found),
        false => Err(Error::Calibration(format!("the runtime gave {} values of {count}", found.len()))),
    }
}

fn layer_of(model: &Model, id: ValueId) -> String {
    let graph = model.graph();
    let maker = graph.nodes.iter().find(|node| node.outputs.contains(&id)).map(|node| node.label());
    maker.or_else(|| graph.value(id).name.clone()).unwrap_or_default()
}
