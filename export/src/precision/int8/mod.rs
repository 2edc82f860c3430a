//! 8-bit integers: `f(x, w, b)` → `f(DQ(Q(x)), DQ(w₈), DQ(b₃₂))` for `Conv`, `Gemm` and `MatMul`, with `Q` and `DQ` of
//! ONNX.
//!
//! Activations get one scale and zero point each, from what they hold on real inputs. Weights are symmetric with one
//! scale an output channel. A runtime that knows the pattern computes in integers; any other computes what the integers
//! stand for.
//!
//! # Source
//! ONNX `QuantizeLinear` and `DequantizeLinear`, opset 13; the entropy of Migacz 2017, *8-bit inference with TensorRT*.

mod calibrate;
mod histogram;
mod layers;
mod rewrite;

use burn::tensor::TensorData;

pub use histogram::Calibration;

use super::Keep;
use crate::verify::Runner;
use crate::{Model, Result};
use layers::Layers;

/// How to quantise.
#[derive(Clone, Debug, Default)]
pub struct Int8 {
    /// How the range of an activation is chosen.
    pub calibration: Calibration,
    /// Layers that stay in 32-bit floats.
    pub keep: Keep,
}

/// What was quantised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Int8Report {
    /// Every quantised layer, the one with the largest error first.
    pub layers: Vec<LayerError>,
    /// Activations that got a scale.
    pub activations: usize,
    /// Layers that stay in 32-bit floats because of a pattern, by name.
    pub kept: Vec<String>,
}

/// What quantising one layer alone costs: the difference of its output, relative to the output, both as root mean
/// squares over the calibration inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerError {
    /// Name of the layer.
    pub layer: String,
    /// The relative error.
    pub error: f64,
}

impl Model {
    /// Quantises the layers of a model in 32-bit floats. Each batch holds the inputs in the order of the model.
    ///
    /// # Errors
    /// [`crate::Error::Request`]: a pattern meets no node, or there is no layer to quantise.
    /// [`crate::Error::Calibration`]: no inputs, numbers that are not finite, or a part to take off that leaves
    /// none. Whatever the runtime refuses.
    pub fn to_int8(&mut self, int8: &Int8, runner: &dyn Runner, batches: &[Vec<TensorData>]) -> Result<Int8Report> {
        int8.calibration.check()?;
        int8.keep.check(self.graph())?;
        let layers = Layers::of(self.graph(), &int8.keep)?;
        let scales = calibrate::scales(self, &layers, int8.calibration, runner, batches)?;
        let errors = calibrate::errors(self, &layers, &scales, runner, batches)?;
        let graph = self.graph_mut();
        rewrite::apply(graph, &layers, &scales);
        graph.check("the rewrite to 8-bit integers")?;
        Ok(Int8Report { layers: errors, activations: scales.len(), kept: layers.kept })
    }
}
