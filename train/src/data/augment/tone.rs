//! Posterize, solarize, auto-contrast and equalize: every byte of a channel by a table.
//!
//! # Source
//! Pillow's `ImageOps`, which torchvision's `posterize` and so on call for a PIL image.

use super::Picture;

/// Keeps the highest bits.
pub(super) fn posterize(picture: &mut Picture, bits: u32) {
    let mask = 255_u8.checked_shl(8 - bits.min(8)).unwrap_or(0);
    picture.colours_mut().flatten().for_each(|byte| *byte &= mask);
}

/// Inverts all bytes from a threshold on.
pub(super) fn solarize(picture: &mut Picture, threshold: f64) {
    let inverted = |byte: u8| if f64::from(byte) < threshold { byte } else { 255 - byte };
    picture.colours_mut().flatten().for_each(|byte| *byte = inverted(*byte));
}

/// Stretches every channel over all bytes.
pub(super) fn auto_contrast(picture: &mut Picture) {
    for plane in picture.colours_mut() {
        let (Some(&low), Some(&high)) = (plane.iter().min(), plane.iter().max()) else { continue };
        if low < high {
            let scale = 255.0 / f64::from(high - low);
            let offset = -f64::from(low) * scale;
            plane.iter_mut().for_each(|byte| *byte = (f64::from(*byte) * scale + offset) as u8);
        }
    }
}

/// Makes all bytes of every channel about equally frequent.
pub(super) fn equalize(picture: &mut Picture) {
    for plane in picture.colours_mut() {
        let mut counts = [0_usize; 256];
        plane.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
        let last = counts.iter().rev().find(|count| **count > 0).copied().unwrap_or_default();
        let step = (plane.len() - last) / 255;
        if step == 0 {
            continue;
        }
        let mut sum = step / 2;
        let table = counts.map(|count| {
            let byte = (sum / step).min(255) as u8;
            sum += count;
            byte
        });
        plane.iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
    }
}
