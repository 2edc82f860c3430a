//! Brightness, contrast, saturation and sharpness: a picture mixed with one that lacks them.
//!
//! A factor of 0 gives the picture that lacks them, 1 the picture itself, more than 1 exaggerates.
//!
//! # Source
//! Pillow's `ImageEnhance`, which torchvision's `adjust_brightness` and so on call for a PIL image.

use super::Picture;

/// Towards black.
pub(super) fn brightness(picture: &mut Picture, factor: f64) {
    picture.colours_mut().flatten().for_each(|byte| *byte = blend(0, *byte, factor));
}

/// Towards the mean brightness.
pub(super) fn contrast(picture: &mut Picture, factor: f64) {
    let luma = picture.luma();
    let sum: u64 = luma.iter().map(|&byte| u64::from(byte)).sum();
    let mean = (sum as f64 / luma.len() as f64 + 0.5) as u8;
    picture.colours_mut().flatten().for_each(|byte| *byte = blend(mean, *byte, factor));
}

/// Towards grey.
pub(super) fn saturation(picture: &mut Picture, factor: f64) {
    let luma = picture.luma();
    for plane in picture.colours_mut() {
        plane.iter_mut().zip(&luma).for_each(|(byte, grey)| *byte = blend(*grey, *byte, factor));
    }
}

/// Towards a smoothed picture; the border stays as it is.
pub(super) fn sharpness(picture: &mut Picture, factor: f64) {
    let Picture { height, width, .. } = *picture;
    for plane in picture.colours_mut() {
        let smooth = smoothed(plane, height, width);
        plane.iter_mut().zip(smooth).for_each(|(byte, smooth)| *byte = blend(smooth, *byte, factor));
    }
}

/// Every inner pixel as the mean of five times itself and its eight neighbours.
fn smoothed(plane: &[u8], height: usize, width: usize) -> Vec<u8> {
    let mut smooth = plane.to_vec();
    for row in 1..height.saturating_sub(1) {
        for column in 1..width.saturating_sub(1) {
            let rows = (row - 1..=row + 1).map(|row| &plane[row * width + column - 1..][..3]);
            let sum: u32 = rows.flatten().map(|&byte| u32::from(byte)).sum();
            let weighted = sum + 4 * u32::from(plane[row * width + column]);
            smooth[row * width + column] = ((2 * weighted + 13) / 26) as u8;
        }
    }
    smooth
}

/// `lacking + factor (byte - lacking)`, cut off and held within a byte.
fn blend(lacking: u8, byte: u8, factor: f64) -> u8 {
    let lacking = f32::from(lacking);
    (lacking + factor as f32 * (f32::from(byte) - lacking)) as u8
}
