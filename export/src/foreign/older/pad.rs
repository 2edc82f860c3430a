//! `Pad` had its widths and its number as attributes, which are inputs now.

use super::clip::number;
use super::node::Old;
use super::second_input;

pub(super) fn rewrite(old: &mut Old<'_, '_>) -> Result<(), String> {
    second_input::rewrite(old, "pads")?;
    match old.take("value").map(|value| value.f).filter(|value| *value != 0.0) {
        Some(value) => number(old, 2, "value", value),
        None => Ok(()),
    }
}
