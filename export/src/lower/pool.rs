//! Maximum and average over windows.
//!
//! # Source
//! ONNX `MaxPool`, `AveragePool`. Indices of maxima count from the start of their image in Burn and from the start of
//! the batch in ONNX: `Mod` with the size of an image.

use burn_ir::{ModuleOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family::ints, reduce};
use crate::Result;
use crate::ir::{Attributes, Constant, ElementType, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "pool", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Module::AvgPool1d", "AveragePool"),
    Operation::new("Module::AvgPool2d", "AveragePool"),
    Operation::new("Module::MaxPool1d", "MaxPool"),
    Operation::new("Module::MaxPool1dWithIndices", "MaxPool, Mod"),
    Operation::new("Module::MaxPool2d", "MaxPool"),
    Operation::new("Module::MaxPool2dWithIndices", "MaxPool, Mod"),
];

struct Pool<'a> {
    op: &'static str,
    x: &'a TensorIr,
    out: &'a TensorIr,
    indices: Option<&'a TensorIr>,
    kernel: &'a [usize],
    stride: &'a [usize],
    padding: &'a [usize],
    ceil_mode: bool,
    extra: Attributes,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    use std::slice::from_ref;
    macro_rules! max {
        ($ir:ident, $indices:expr, $view:expr) => {
            Pool {
                op: "MaxPool",
                x: &$ir.x,
                out: &$ir.out,
                indices: $indices,
                kernel: $view(&$ir.kernel_size),
                stride: $view(&$ir.stride),
                padding: $view(&$ir.padding),
                ceil_mode: $ir.ceil_mode,
                extra: attributes([("dilations", ints($view(&$ir.dilation)))]),
            }
        };
    }
    macro_rules! average {
        ($ir:ident, $view:expr) => {
            Pool {
                op: "AveragePool",
                x: &$ir.x,
                out: &$ir.out,
                indices: None,
                kernel: $view(&$ir.kernel_size),
                stride: $view(&$ir.stride),
                padding: $view(&$ir.padding),
                ceil_mode: $ir.ceil_mode,
                extra: attributes([("count_include_pad", i64::from($ir.count_include_pad).into())]),
            }
        };
    }
    let OperationIr::Module(module) = operation else { return Ok(Lowered::NotMine) };
    let pool = match module {
        ModuleOperationIr::MaxPool1d(ir) => max!(ir, None, from_ref),
        ModuleOperationIr::MaxPool1dWithIndices(ir) => max!(ir, Some(&ir.out_indices), from_ref),
        ModuleOperationIr::MaxPool2d(ir) => max!(ir, None, <[usize; 2]>::as_slice),
        ModuleOperationIr::MaxPool2dWithIndices(ir) => max!(ir, Some(&ir.out_indices), <[usize; 2]>::as_slice),
        ModuleOperationIr::AvgPool1d(ir) => average!(ir, from_ref),
        ModuleOperationIr::AvgPool2d(ir) => average!(ir, <[usize; 2]>::as_slice),
        _ => return Ok(Lowered::NotMine),
    };
    let counts_pads = pool.extra.get("count_include_pad") == Some(&1.into());
    if pool.ceil_mode && counts_pads && pool.padding.iter().any(|size| *size > 0) {
        return Err(context.unsupported("ceil_mode with count_include_pad counts differently in every runtime"));
    }
    wire(context, pool)?;
    Ok(Lowered::Done)
}

fn wire(context: &mut Context<'_>, pool: Pool<'_>) -> Result<()> {
    let input = context.input(pool.x)?;
    let pads = ints(&[pool.padding, pool.padding].concat());
    let mut attributes =
        attributes([("kernel_shape", ints(pool.kernel)), ("strides", ints(pool.stride)), ("pads", pads)]);
    if pool.ceil_mode {
        attributes.insert("ceil_mode".to_string(), 1.into());
    }
    attributes.extend(pool.extra);
    let Some(indices) = pool.indices else { return context.finish(pool.out, pool.op, &[input], attributes) };
    let (dtype, shape) = (ElementType::from_burn(pool.out.dtype)?, context.shape(pool.out));
    let outputs = vec![(dtype, shape.clone()), (ElementType::I64, shape)];
    let outputs = context.nodes(pool.op, vec![Some(input)], attributes, outputs);
    context.bind(pool.out, outputs[0])?;
    let size = image_size(context, input);
    let place = context.same("Mod", &[outputs[1], size], Attributes::new());
    context.bind_cast(indices, place)
}

/// The number of pixels of one channel, as a tensor of one integer.
fn image_size(context: &mut Context<'_>, image: ValueId) -> ValueId {
    let shape = context.value_shape(image);
    let spatial = &shape[2..];
    if let Some(size) = spatial.iter().map(Dim::fixed).product::<Option<i64>>() {
        return context.constant(Constant::i64s(&[size]));
    }
    let rank = Dim::Fixed(shape.len() as i64);
    let sizes = context.apply("Shape", &[image], ElementType::I64, &[rank]);
    let ends = [2, i64::MAX].map(|end| context.constant(Constant::i64s(&[end])));
    let count = Dim::Fixed(spatial.len() as i64);
    let sizes = context.apply("Slice", &[sizes, ends[0], ends[1]], ElementType::I64, &[count]);
    reduce::reduce(context, "ReduceProd", sizes, &[0])
}
