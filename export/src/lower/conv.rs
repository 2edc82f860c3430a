//! Convolutions, and transposed ones.
//!
//! # Source
//! ONNX `Conv`, `ConvTranspose`.

use burn_ir::{ModuleOperationIr, OperationIr, TensorIr};

use super::family::ints;
use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "conv", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Module::Conv1d", "Conv"),
    Operation::new("Module::Conv2d", "Conv"),
    Operation::new("Module::Conv3d", "Conv"),
    Operation::new("Module::ConvTranspose1d", "ConvTranspose"),
    Operation::new("Module::ConvTranspose2d", "ConvTranspose"),
    Operation::new("Module::ConvTranspose3d", "ConvTranspose"),
];

struct Convolution<'a> {
    tensors: [&'a TensorIr; 2],
    bias: Option<&'a TensorIr>,
    out: &'a TensorIr,
    stride: &'a [usize],
    /// At the beginning of every axis, then at the end.
    pads: Vec<usize>,
    dilation: &'a [usize],
    groups: usize,
    /// Of a transposed one.
    padding_out: Option<&'a [usize]>,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    macro_rules! convolution {
        ($ir:ident, $pads:expr, $padding_out:expr) => {
            Convolution {
                tensors: [&$ir.x, &$ir.weight],
                bias: $ir.bias.as_ref(),
                out: &$ir.out,
                stride: &$ir.options.stride,
                pads: $pads,
                dilation: &$ir.options.dilation,
                groups: $ir.options.groups,
                padding_out: $padding_out,
            }
        };
    }
    macro_rules! transposed {
        ($ir:ident) => {
            convolution!($ir, $ir.options.padding.repeat(2), Some(&$ir.options.padding_out))
        };
    }
    let OperationIr::Module(module) = operation else { return Ok(Lowered::NotMine) };
    let convolution = match module {
        ModuleOperationIr::Conv1d(ir) => convolution!(ir, uneven(&ir.options.padding), None),
        ModuleOperationIr::Conv2d(ir) => convolution!(ir, uneven(&ir.options.padding), None),
        ModuleOperationIr::Conv3d(ir) => convolution!(ir, ir.options.padding.repeat(2), None),
        ModuleOperationIr::ConvTranspose1d(ir) => transposed!(ir),
        ModuleOperationIr::ConvTranspose2d(ir) => transposed!(ir),
        ModuleOperationIr::ConvTranspose3d(ir) => transposed!(ir),
        _ => return Ok(Lowered::NotMine),
    };
    wire(context, &convolution)?;
    Ok(Lowered::Done)
}

fn uneven(padding: &[(usize, usize)]) -> Vec<usize> {
    padding.iter().map(|(begin, _)| *begin).chain(padding.iter().map(|(_, end)| *end)).collect()
}

fn wire(context: &mut Context<'_>, convolution: &Convolution<'_>) -> Result<()> {
    let weight = convolution.tensors[1];
    let kernel = context.fixed_shape(weight, 2..weight.shape.num_dims())?;
    let mut inputs = Vec::new();
    for tensor in convolution.tensors.into_iter().chain(convolution.bias) {
        inputs.push(context.input(tensor)?);
    }
    let mut attributes = attributes([
        ("kernel_shape", ints(&kernel)),
        ("strides", ints(convolution.stride)),
        ("pads", ints(&convolution.pads)),
        ("dilations", ints(convolution.dilation)),
        ("group", (convolution.groups as i64).into()),
    ]);
    let op = match convolution.padding_out {
        None => "Conv",
        Some(padding) => {
            attributes.insert("output_padding".to_string(), ints(padding));
            "ConvTranspose"
        }
    };
    context.finish(convolution.out, op, &inputs, attributes)
}
