//! From the numbers of several traces to expressions of the dynamic sizes.
//!
//! `align` walks through the traces side by side and asks `operation` what they say about each operation. Where their
//! numbers differ, `fit` finds the expression behind them: a [`Dim`], or, where something is rounded down, a `Whole`.
//! `number` does the same for floats, `ramp` for constants that count, and `reshape` writes the shape of a `Reshape`.

mod align;
mod dim;
mod fit;
mod number;
mod operation;
mod ramp;
mod reshape;
mod whole;

pub(crate) use align::{Program, align};
pub use dim::{Affine, Dim, Symbol};
pub use fit::Samples;
pub(crate) use number::{Argument, Formula, Function};
pub(crate) use operation::operation_name;
pub(crate) use ramp::{Ramp, Real, Steps};
pub use reshape::reshape_target;
pub(crate) use whole::{Floor, Whole};
