//! Maximum and average over windows.
//!
//! # Source
//! ONNX `MaxPool`, `AveragePool`, `Pad`. Indices of maxima count from the start of their image in Burn and from the start of
//! the batch in ONNX: `Mod` with the size of an image.

use burn_ir::{ModuleOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family::ints, reduce};
use crate::Result;
use crate::ir::{Attributes, Constant, ElementType, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "pool", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Module::AvgPool1d", "AveragePool | Slice, Pad, AveragePool"),
    Operation::new("Module::AvgPool2d", "AveragePool | Slice, Pad, AveragePool"),
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
    let input = context.input(pool.x)?;
    if pool.ceil_mode && counts_pads && pool.padding.iter().any(|size| *size > 0) {
        let input = padded(context, &pool, input)?;
        let zeros = vec![0; pool.padding.len()];
        wire(context, Pool { padding: &zeros, extra: Attributes::new(), ..pool }, input)?;
    } else {
        wire(context, pool, input)?;
    }
    Ok(Lowered::Done)
}

/// Pads that are counted, as zeros of the image: a window that is cut off counts differently in every runtime where pads
/// are attributes. Behind the image are as many as the last window of Burn reaches.
fn padded(context: &mut Context<'_>, pool: &Pool<'_>, mut value: ValueId) -> Result<ValueId> {
    let sizes = |tensor: &TensorIr| context.fixed_shape(tensor, 2..pool.padding.len() + 2);
    let (Ok(from), Ok(to)) = (sizes(pool.x), sizes(pool.out)) else {
        let reason = "ceil_mode with count_include_pad counts the pads of a dynamic size differently in every runtime";
        return Err(context.unsupported(reason));
    };
    let mut behind = Vec::with_capacity(from.len());
    for (axis, (from, to)) in from.iter().zip(to).enumerate() {
        let (kernel, stride, before) = (pool.kernel[axis], pool.stride[axis], pool.padding[axis]);
        let reached = to.saturating_sub(1) * stride + kernel;
        if reached < from + before {
            let end = Dim::Fixed(reached.saturating_sub(before) as i64);
            value = context.slice(value, axis + 2, [&Dim::Fixed(0), &end], 1, end.clone())?;
        }
        behind.push(reached.saturating_sub(from + before).min(before));
    }
    let pads = [&[0, 0], pool.padding, &[0, 0], behind.as_slice()].concat();
    let (dtype, mut shape) = (context.dtype(value), context.value_shape(value));
    for (axis, size) in shape.iter_mut().enumerate().skip(2) {
        let more = pool.padding[axis - 2] + behind[axis - 2];
        *size = Dim::Fixed(size.fixed().unwrap_or_default() + more as i64);
    }
    let pads = context.constant(Constant::i64s(&pads.into_iter().map(|size| size as i64).collect::<Vec<_>>()));
    Ok(context.apply("Pad", &[value, pads], dtype, &shape))
}

fn wire(context: &mut Context<'_>, pool: Pool<'_>, input: ValueId) -> Result<()> {
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
