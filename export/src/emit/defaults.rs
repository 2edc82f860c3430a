//! Attributes that say what an operator does anyway, and are therefore not written.

use crate::ir::{Attribute, Node};

/// The value that ONNX gives an attribute that is not there.
enum Default {
    Int(i64),
    Float(f32),
    Text(&'static str),
    /// This number along every spatial axis.
    Each(i64),
}

/// A default of some operators since an opset, which stays until a later row for the same names.
struct Row(&'static [&'static str], &'static str, i64, Default);

const CONVOLUTIONS: &[&str] = &["Conv", "ConvTranspose", "DeformConv"];
const WINDOWS: &[&str] = &["Conv", "ConvTranspose", "DeformConv", "AveragePool", "MaxPool"];
const REDUCTIONS: &[&str] =
    &["ArgMax", "ArgMin", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceL2"];

/// The defaults at the opsets from 13 on, of the attributes that this crate sets. The `epsilon` of BatchNormalization is
/// written all the same: burn-onnx takes its absence for zero.
const DEFAULTS: &[Row] = &[
    Row(&["ArgMax", "ArgMin", "Gather", "GatherElements", "ScatterElements"], "axis", 13, Default::Int(0)),
    Row(&["LayerNormalization", "LogSoftmax", "RMSNormalization", "Softmax", "TopK"], "axis", 13, Default::Int(-1)),
    Row(&["DequantizeLinear", "QuantizeLinear"], "axis", 13, Default::Int(1)),
    Row(REDUCTIONS, "keepdims", 13, Default::Int(1)),
    Row(REDUCTIONS, "noop_with_empty_axes", 13, Default::Int(0)),
    Row(CONVOLUTIONS, "group", 13, Default::Int(1)),
    Row(&["DeformConv"], "offset_group", 13, Default::Int(1)),
    Row(WINDOWS, "strides", 13, Default::Each(1)),
    Row(WINDOWS, "dilations", 13, Default::Each(1)),
    Row(WINDOWS, "pads", 13, Default::Each(0)),
    Row(&["ConvTranspose"], "output_padding", 13, Default::Each(0)),
    Row(&["AveragePool", "MaxPool"], "ceil_mode", 13, Default::Int(0)),
    Row(&["AveragePool"], "count_include_pad", 13, Default::Int(0)),
    Row(&["Gemm"], "alpha", 13, Default::Float(1.0)),
    Row(&["Gemm"], "beta", 13, Default::Float(1.0)),
    Row(&["Gemm"], "transA", 13, Default::Int(0)),
    Row(&["Gemm"], "transB", 13, Default::Int(0)),
    Row(&["LayerNormalization", "RMSNormalization"], "epsilon", 13, Default::Float(1e-5)),
    Row(&["LeakyRelu"], "alpha", 13, Default::Float(0.01)),
    Row(&["HardSigmoid"], "alpha", 13, Default::Float(0.2)),
    Row(&["HardSigmoid"], "beta", 13, Default::Float(0.5)),
    Row(&["Gelu"], "approximate", 13, Default::Text("none")),
    Row(&["CumSum"], "exclusive", 13, Default::Int(0)),
    Row(&["CumSum"], "reverse", 13, Default::Int(0)),
    Row(&["Mod"], "fmod", 13, Default::Int(0)),
    Row(&["TopK"], "largest", 13, Default::Int(1)),
    Row(&["TopK"], "sorted", 13, Default::Int(1)),
    Row(&["ScatterElements", "ScatterND"], "reduction", 13, Default::Text("none")),
    Row(&["Pad"], "mode", 13, Default::Text("constant")),
    Row(&["Reshape"], "allowzero", 13, Default::Int(0)),
    Row(&["GridSample"], "mode", 13, Default::Text("bilinear")),
    Row(&["GridSample"], "mode", 20, Default::Text("linear")),
    Row(&["GridSample"], "padding_mode", 13, Default::Text("zeros")),
    Row(&["GridSample"], "align_corners", 13, Default::Int(0)),
    Row(&["Resize"], "mode", 13, Default::Text("nearest")),
    Row(&["Resize"], "coordinate_transformation_mode", 13, Default::Text("half_pixel")),
    Row(&["Resize"], "nearest_mode", 13, Default::Text("round_prefer_floor")),
    Row(&["Resize"], "cubic_coeff_a", 13, Default::Float(-0.75)),
];

/// Whether a node does the same without the attribute.
pub(super) fn is_default(node: &Node, name: &str, value: &Attribute, opset: i64) -> bool {
    let names =
        |row: &&Row| node.domain.is_empty() && row.0.contains(&node.op.as_str()) && row.1 == name && row.2 <= opset;
    DEFAULTS.iter().rfind(names).is_some_and(|Row(.., default)| match (default, value) {
        (Default::Int(default), Attribute::Int(value)) => default == value,
        (Default::Float(default), Attribute::Float(value)) => default == value,
        (Default::Text(default), Attribute::String(value)) => default == value,
        (Default::Each(default), Attribute::Ints(values)) => values.iter().all(|value| value == default),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::attributes;

    #[test]
    fn only_what_onnx_assumes_at_the_opset_is_left_out() {
        let cases: [(&str, &str, Attribute, i64, bool); 11] = [
            ("Gather", "axis", 0.into(), 17, true),
            ("Gather", "axis", 1.into(), 17, false),
            ("Concat", "axis", 0.into(), 17, false),
            ("LayerNormalization", "epsilon", 1e-5.into(), 17, true),
            ("BatchNormalization", "epsilon", 1e-5.into(), 17, false),
            ("Softmax", "axis", 0.into(), 17, false),
            ("GridSample", "mode", "bilinear".into(), 16, true),
            ("GridSample", "mode", "linear".into(), 20, true),
            ("GridSample", "mode", "bilinear".into(), 20, false),
            ("Conv", "pads", vec![0, 0, 0, 0].into(), 17, true),
            ("Conv", "pads", vec![0, 0, 1, 0].into(), 17, false),
        ];
        let wrong: Vec<_> = cases
            .iter()
            .filter(|(op, name, value, opset, expected)| {
                let node = Node::new(op, &[], vec![], attributes([(name, value.clone())]), "");
                is_default(&node, name, value, *opset) != *expected
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
