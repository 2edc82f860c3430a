//! `Softmax`, `LogSoftmax` and `Hardmax` took all axes from `axis` on for one, which was the second by default. Where the
//! others have one place each, or there are none, it is the same; else `f(x)` → `Reshape(f(Flatten(x)), Shape(x))`.

use super::node::Old;
use crate::ir::attributes;
use crate::shapes::Dim;

pub(super) fn rewrite(old: &mut Old<'_, '_>) -> Result<(), String> {
    let axis = old.take("axis").map_or(1, |axis| axis.i);
    let input = old.node.input[0].clone();
    let alone = old.file.shapes.get(&input).is_some_and(|shape| {
        let first = usize::try_from(if axis < 0 { axis + shape.len() as i64 } else { axis }).ok();
        let others = first.and_then(|first| shape.get(first + 1..));
        others.is_some_and(|others| others.iter().all(|size| *size == Dim::Fixed(1)))
    });
    if alone {
        old.set("axis", axis);
        return Ok(());
    }
    let shape = old.beside("Shape", &input);
    old.put_before("Flatten", "flat", &attributes([("axis", axis.into())]));
    old.put_behind("Reshape", "rows", &shape);
    Ok(())
}
