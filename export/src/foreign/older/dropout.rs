//! `Dropout` had its ratio as an attribute, which says nothing out of training, and a mask of another meaning there.

use super::node::Old;

pub(super) fn rewrite(old: &mut Old<'_, '_>) -> Result<(), String> {
    if old.node.output.get(1).is_some_and(|mask| old.file.is_read(mask)) {
        return Err("its mask is read, which has no fixed meaning out of training".to_string());
    }
    old.node.output.truncate(1);
    old.take("ratio");
    Ok(())
}
