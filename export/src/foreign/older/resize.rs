//! `Upsample`, and `Resize` of opset 10, found the places of pixels in the way that is called asymmetric now, and rounded them
//! towards the pixel that a size was made larger from.

use super::node::Old;
use crate::ir::Constant;

/// `Upsample(x, scales)` → `Resize(x, , scales)`.
pub(super) fn upsample(old: &mut Old<'_, '_>) -> Result<(), String> {
    if let Some(scales) = old.take("scales") {
        old.set_input(1, "scales", Constant::f32(vec![scales.floats.len()], &scales.floats));
    }
    old.rename("Resize")?;
    newer(old, "floor");
    Ok(())
}

/// `Resize(x, scales)` → `Resize(x, , scales)`.
pub(super) fn resize(old: &mut Old<'_, '_>) -> Result<(), String> {
    let mut rounding = "floor";
    if old.text("mode").is_none_or(|mode| mode == "nearest") {
        let scales = old.node.input.get(1).and_then(|name| old.file.numbers(name));
        let scales = scales.ok_or("its scales are no constant, and they say how it rounds")?;
        if scales.iter().any(|scale| *scale < 1.0) {
            rounding = "ceil";
            if scales.iter().any(|scale| *scale > 1.0) {
                return Err("it makes one axis larger and another one smaller, and rounds in two ways".to_string());
            }
        }
    }
    newer(old, rounding);
    Ok(())
}

fn newer(old: &mut Old<'_, '_>, rounding: &str) {
    old.node.input.insert(1, String::new());
    old.set("coordinate_transformation_mode", "asymmetric");
    old.set("nearest_mode", rounding);
}

/// One way to find the places of pixels is gone.
pub(super) fn places(old: &mut Old<'_, '_>) -> Result<(), String> {
    match old.text("coordinate_transformation_mode") {
        Some(mode @ "tf_half_pixel_for_nn") => Err(format!("it finds pixels by {mode}")),
        _ => Ok(()),
    }
}
