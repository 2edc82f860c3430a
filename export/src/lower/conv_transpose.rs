//! Transposed convolutions.
//!
//! # Source
//! ONNX `ConvTranspose`.

use burn_ir::{ModuleOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family::ints};
use crate::Result;
use crate::ir::attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "conv_transpose", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Module::ConvTranspose1d", "ConvTranspose"),
    Operation::new("Module::ConvTranspose2d", "ConvTranspose"),
    Operation::new("Module::ConvTranspose3d", "ConvTranspose"),
];

struct Convolution<'a> {
    tensors: [&'a TensorIr; 2],
    bias: Option<&'a TensorIr>,
    out: &'a TensorIr,
    stride: &'a [usize],
    padding: &'a [usize],
    padding_out: &'a [usize],
    dilation: &'a [usize],
    groups: usize,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    macro_rules! convolution {
        ($ir:ident) => {
            Convolution {
                tensors: [&$ir.x, &$ir.weight],
                bias: $ir.bias.as_ref(),
                out: &$ir.out,
                stride: &$ir.options.stride,
                padding: &$ir.options.padding,
                padding_out: &$ir.options.padding_out,
                dilation: &$ir.options.dilation,
                groups: $ir.options.groups,
            }
        };
    }
    let convolution = match operation {
        OperationIr::Module(ModuleOperationIr::ConvTranspose1d(ir)) => convolution!(ir),
        OperationIr::Module(ModuleOperationIr::ConvTranspose2d(ir)) => convolution!(ir),
        OperationIr::Module(ModuleOperationIr::ConvTranspose3d(ir)) => convolution!(ir),
        _ => return Ok(Lowered::NotMine),
    };
    wire(context, &convolution)?;
    Ok(Lowered::Done)
}

fn wire(context: &mut Context<'_>, convolution: &Convolution<'_>) -> Result<()> {
    let weight = convolution.tensors[1];
    let kernel = context.fixed_shape(weight, 2..weight.shape.num_dims())?;
    let pads = [convolution.padding, convolution.padding].concat();
    let mut inputs = Vec::new();
    for tensor in convolution.tensors.into_iter().chain(convolution.bias) {
        inputs.push(context.input(tensor)?);
    }
    let attributes = attributes([
        ("kernel_shape", ints(&kernel)),
        ("strides", ints(convolution.stride)),
        ("pads", ints(&pads)),
        ("output_padding", ints(convolution.padding_out)),
        ("dilations", ints(convolution.dilation)),
        ("group", (convolution.groups as i64).into()),
    ]);
    context.finish(convolution.out, "ConvTranspose", &inputs, attributes)
}
