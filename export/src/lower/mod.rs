//! From Burn operations to ONNX nodes, one file an operation family.
//!
//! A lowering is a function that takes one Burn operation and wires nodes for it. Lowerings of the caller are asked
//! first, so that a custom operation, or another translation of a known one, needs no change in this crate.
//!
//! Begin with `softmax`, a short one. `program` lowers a whole program, [`Context`] is what a lowering works with, `catalog`
//! says which lowering writes which operation, and `refuse` why some have none. `family`, `sizes`, `scalar`, `resample` and
//! `averaging` are shared by several.

mod activation;
mod adaptive_pool;
mod all_any;
mod arc_tan2;
mod arithmetic;
mod attention;
mod averaging;
mod batch_norm;
mod bitwise;
mod cast;
mod catalog;
mod clamp;
mod compare;
mod concat;
mod context;
mod conv;
mod cross;
mod cumulative;
mod deform_conv;
mod expand;
mod family;
mod fill;
mod flip;
mod formulas;
mod gather;
mod grid_sample;
mod hypot;
mod im2col;
mod interpolate;
mod layer_norm;
mod linear;
mod log1p;
mod mask;
mod matmul;
mod nearest;
mod pad;
mod pool;
mod program;
mod recurrent;
mod reduce;
mod refuse;
mod remainder;
mod repeat;
mod resample;
mod reshape;
mod scalar;
mod scatter;
mod shift;
mod sizes;
mod slice;
mod slice_assign;
mod softmax;
mod sort;
mod transpose;
mod trunc;
mod unary;
mod unfold;
mod widen;

use burn_ir::OperationIr;
pub use catalog::{Operation, operation, table};
pub use context::Context;
pub(crate) use program::{Target, lower};

use crate::Result;

/// Whether a lowering took an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowered {
    /// The nodes are wired.
    Done,
    /// Another lowering may take it.
    NotMine,
}

/// A translation of some Burn operations.
#[derive(Clone, Copy)]
pub struct Lowering {
    /// Name of the operation family.
    pub name: &'static str,
    /// The operations it takes, for the table of operators; a lowering of the caller may leave them out.
    pub operations: &'static [Operation],
    /// Wires the nodes of an operation, or leaves it.
    pub lower: fn(&mut Context<'_>, &OperationIr) -> Result<Lowered>,
}

/// The lowerings of this crate.
pub const LOWERINGS: &[Lowering] = &[
    activation::LOWERING,
    adaptive_pool::LOWERING,
    all_any::LOWERING,
    arc_tan2::LOWERING,
    arithmetic::LOWERING,
    attention::LOWERING,
    batch_norm::LOWERING,
    bitwise::LOWERING,
    cast::LOWERING,
    clamp::LOWERING,
    compare::LOWERING,
    concat::LOWERING,
    conv::LOWERING,
    cross::LOWERING,
    cumulative::LOWERING,
    deform_conv::LOWERING,
    expand::LOWERING,
    fill::LOWERING,
    flip::LOWERING,
    gather::LOWERING,
    grid_sample::LOWERING,
    hypot::LOWERING,
    im2col::LOWERING,
    interpolate::LOWERING,
    layer_norm::LOWERING,
    linear::LOWERING,
    log1p::LOWERING,
    mask::LOWERING,
    matmul::LOWERING,
    pad::LOWERING,
    pool::LOWERING,
    recurrent::LOWERING,
    reduce::LOWERING,
    refuse::LOWERING,
    remainder::LOWERING,
    repeat::LOWERING,
    reshape::LOWERING,
    scalar::LOWERING,
    scatter::LOWERING,
    shift::LOWERING,
    slice::LOWERING,
    slice_assign::LOWERING,
    softmax::LOWERING,
    sort::LOWERING,
    transpose::LOWERING,
    trunc::LOWERING,
    unary::LOWERING,
    unfold::LOWERING,
];
