//! `Clip` had its bounds as attributes, which are inputs of the type of its numbers now.

use super::node::Old;
use crate::ir::{Constant, Number};

pub(super) fn rewrite(old: &mut Old<'_, '_>) -> Result<(), String> {
    for (place, name) in [(1, "min"), (2, "max")] {
        if let Some(bound) = old.take(name) {
            number(old, place, name, bound.f)?;
        }
    }
    Ok(())
}

/// Makes a number of the type of the file's floats an input.
pub(super) fn number(old: &mut Old<'_, '_>, place: usize, name: &str, number: f32) -> Result<(), String> {
    let float = old.file.float().ok_or_else(|| format!("the type of `{name}` is one of several of the file"))?;
    old.set_input(place, name, Constant::scalar(float, Number::Float(number.into())));
    Ok(())
}
