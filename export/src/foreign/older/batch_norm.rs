//! `BatchNormalization` had an attribute `spatial`, which is gone with the other of its two meanings.

use super::node::Old;

pub(super) fn rewrite(old: &mut Old<'_, '_>) -> Result<(), String> {
    match old.take("spatial").is_none_or(|spatial| spatial.i == 1) {
        true => Ok(()),
        false => Err("it normalises every place by statistics of its own (spatial = 0)".to_string()),
    }
}
