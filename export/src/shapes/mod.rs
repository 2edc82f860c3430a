//! From the numbers of several traces to expressions of the dynamic sizes.

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
