//! `Slice` had its starts, ends and axes as attributes, which are inputs now.

use super::node::Old;
use crate::ir::Constant;

pub(super) fn rewrite(old: &mut Old<'_, '_>) -> Result<(), String> {
    for (place, name) in [(1, "starts"), (2, "ends"), (3, "axes")] {
        if let Some(attribute) = old.take(name) {
            old.set_input(place, name, Constant::i64s(&attribute.ints));
        }
    }
    Ok(())
}
