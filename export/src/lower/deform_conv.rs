//! Deformable convolutions.
//!
//! # Source
//! ONNX `DeformConv`, opset 19.

use burn_ir::{DeformConv2dOpIr, ModuleOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family::ints};
use crate::Result;
use crate::ir::{ElementType, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "deform_conv", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Module::DeformableConv2d", "DeformConv").since(19).beyond_tract()];

/// The opset that brought the operator.
const SINCE: i64 = 19;

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Module(ModuleOperationIr::DeformableConv2d(ir)) = operation else { return Ok(Lowered::NotMine) };
    if context.opset() < SINCE {
        return Err(context
            .unsupported(format!("ONNX knows `DeformConv` from opset {SINCE} on; choose one with `Export::opset`")));
    }
    wire(context, ir)?;
    Ok(Lowered::Done)
}

fn wire(context: &mut Context<'_>, ir: &DeformConv2dOpIr) -> Result<()> {
    let kernel = context.fixed_shape(&ir.weight, 2..4)?;
    let options = &ir.options;
    let mut inputs = vec![];
    for tensor in [Some(&ir.x), Some(&ir.weight), Some(&ir.offset), ir.bias.as_ref(), ir.mask.as_ref()] {
        inputs.push(tensor.map(|tensor| context.input(tensor)).transpose()?);
    }
    while inputs.last() == Some(&None) {
        inputs.pop();
    }
    let attributes = attributes([
        ("kernel_shape", ints(&kernel)),
        ("strides", ints(&options.stride)),
        ("pads", ints(&[options.padding, options.padding].concat())),
        ("dilations", ints(&options.dilation)),
        ("group", (options.weight_groups as i64).into()),
        ("offset_group", (options.offset_groups as i64).into()),
    ]);
    let output = (ElementType::from_burn(ir.out.dtype)?, context.shape(&ir.out));
    let outputs = context.nodes("DeformConv", inputs, attributes, vec![output]);
    context.bind(&ir.out, outputs[0])
}
