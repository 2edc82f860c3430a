//! Convolutions.
//!
//! # Source
//! ONNX `Conv`.

use burn_ir::{ModuleOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family::ints};
use crate::Result;
use crate::ir::attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "conv", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Module::Conv1d", "Conv"),
    Operation::new("Module::Conv2d", "Conv"),
    Operation::new("Module::Conv3d", "Conv"),
];

struct Convolution<'a> {
    tensors: [&'a TensorIr; 2],
    bias: Option<&'a TensorIr>,
    out: &'a TensorIr,
    stride: &'a [usize],
    padding: Vec<(usize, usize)>,
    dilation: &'a [usize],
    groups: usize,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let convolution = match operation {
        OperationIr::Module(ModuleOperationIr::Conv1d(ir)) => Convolution {
            tensors: [&ir.x, &ir.weight],
            bias: ir.bias.as_ref(),
            out: &ir.out,
            stride: &ir.options.stride,
            padding: ir.options.padding.to_vec(),
            dilation: &ir.options.dilation,
            groups: ir.options.groups,
        },
        OperationIr::Module(ModuleOperationIr::Conv2d(ir)) => Convolution {
            tensors: [&ir.x, &ir.weight],
            bias: ir.bias.as_ref(),
            out: &ir.out,
            stride: &ir.options.stride,
            padding: ir.options.padding.to_vec(),
            dilation: &ir.options.dilation,
            groups: ir.options.groups,
        },
        OperationIr::Module(ModuleOperationIr::Conv3d(ir)) => Convolution {
            tensors: [&ir.x, &ir.weight],
            bias: ir.bias.as_ref(),
            out: &ir.out,
            stride: &ir.options.stride,
            padding: ir.options.padding.map(|size| (size, size)).to_vec(),
            dilation: &ir.options.dilation,
            groups: ir.options.groups,
        },
        _ => return Ok(Lowered::NotMine),
    };
    wire(context, &convolution)?;
    Ok(Lowered::Done)
}

fn wire(context: &mut Context<'_>, convolution: &Convolution<'_>) -> Result<()> {
    let weight = convolution.tensors[1];
    let kernel = context.fixed_shape(weight, 2..weight.shape.num_dims())?;
    let begin = convolution.padding.iter().map(|(begin, _)| *begin);
    let pads: Vec<usize> = begin.chain(convolution.padding.iter().map(|(_, end)| *end)).collect();
    let mut inputs = Vec::new();
    for tensor in convolution.tensors.into_iter().chain(convolution.bias) {
        inputs.push(context.input(tensor)?);
    }
    let attributes = attributes([
        ("kernel_shape", ints(&kernel)),
        ("strides", ints(convolution.stride)),
        ("pads", ints(&pads)),
        ("dilations", ints(convolution.dilation)),
        ("group", (convolution.groups as i64).into()),
    ]);
    context.finish(convolution.out, "Conv", &inputs, attributes)
}
