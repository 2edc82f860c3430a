//! The windows of images as columns: `[batch, channels, height, width]` → `[batch, channels · kernel, windows]`.
//!
//! A convolution whose kernels each pick one pixel of one channel gives the columns with every stride, padding and
//! dilation.
//!
//! # Source
//! ONNX `Conv`, `Reshape`.

use burn_ir::{ModuleOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family::ints};
use crate::Result;
use crate::ir::{Attributes, Constant, attributes};
use crate::shapes::reshape_target;

pub(super) const LOWERING: Lowering = Lowering { name: "im2col", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Module::Unfold4d", "Conv, Reshape")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Module(ModuleOperationIr::Unfold4d(ir)) = operation else { return Ok(Lowered::NotMine) };
    let channels = context.fixed_shape(&ir.x, 1..2)?[0];
    let [rows, columns] = ir.kernel_size;
    let taps = rows * columns;
    let pick = (0..channels * taps).flat_map(|kernel| (0..taps).map(move |tap| f64::from(kernel % taps == tap)));
    let value = context.input(&ir.x)?;
    let dtype = context.dtype(value);
    let pick = Constant::floats(dtype, vec![channels * taps, 1, rows, columns], pick);
    let pick = context.constant(pick);
    let options = &ir.options;
    let attributes = attributes([
        ("kernel_shape", ints(&ir.kernel_size)),
        ("strides", ints(&options.stride)),
        ("pads", ints(&[options.padding, options.padding].concat())),
        ("dilations", ints(&options.dilation)),
        ("group", (channels as i64).into()),
    ]);
    let out = context.shape(&ir.out);
    let windows = |axis: usize| {
        context.observe(|op| match op {
            OperationIr::Module(ModuleOperationIr::Unfold4d(ir)) => {
                let span = options.dilation[axis] * (ir.kernel_size[axis] - 1) + 1;
                let padded = ir.x.shape[axis + 2] + 2 * options.padding[axis];
                Some((padded.checked_sub(span)? / options.stride[axis] + 1) as i64)
            }
            _ => None,
        })
    };
    let image = vec![out[0].clone(), out[1].clone(), windows(0), windows(1)];
    let target = reshape_target(&image, &out).unwrap_or(vec![0, (channels * taps) as i64, -1]);
    let image = context.node("Conv", &[value, pick], attributes, dtype, image);
    let target = context.constant(Constant::i64s(&target));
    context.finish(&ir.out, "Reshape", &[image, target], Attributes::new())?;
    Ok(Lowered::Done)
}
