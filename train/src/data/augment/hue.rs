//! Other hues.

use super::Picture;

/// Turns the hue of every pixel by a part of the circle, from -0.5 to 0.5; grey stays grey.
///
/// # Source
/// torchvision's `adjust_hue` for a PIL image: by Pillow's conversion to HSV bytes and back.
pub(super) fn turn(picture: &mut Picture, part: f64) {
    if picture.is_grey() {
        return;
    }
    let shift = (part * 255.0).trunc() as i32 as u8;
    let plane = picture.plane();
    for place in 0..plane {
        let [hue, saturation, value] = to_hsv(picture.rgb(place));
        let rgb = from_hsv([hue.wrapping_add(shift), saturation, value]);
        for (channel, byte) in rgb.into_iter().enumerate() {
            picture.bytes[channel * plane + place] = byte;
        }
    }
}

fn to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let saturation = range / f32::from(most);
    let [r, g, b] = [red, green, blue].map(|byte| f64::from(f32::from(most - byte) / range));
    let sector = if red == most {
        b - g
    } else if green == most {
        2.0 + r - b
    } else {
        4.0 + g - r
    };
    // Pillow keeps the hue in 32 bits between two steps in 64.
    let hue = ((f64::from(sector as f32) / 6.0 + 1.0) % 1.0) as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, most]
}

fn from_hsv([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let place = f64::from(hue) * 6.0 / 255.0;
    let sector = place.floor();
    let rest = f64::from((place - sector) as f32);
    let saturation = f64::from((f64::from(saturation) / 255.0) as f32);
    let byte = |part: f64| (f64::from(value) * (1.0 - part)).round() as u8;
    let (p, q, t) = (byte(saturation), byte(saturation * rest), byte(saturation * (1.0 - rest)));
    match sector as u8 % 6 {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::tests::pillow;
    use sha2::{Digest, Sha256};

    /// All colours on a grid of 52 bytes a channel, turned by four hues: the digest stands for 562,432 pixels.
    #[test]
    fn hues_of_all_colours_turn_as_pillow_turns_them() {
        let levels: Vec<u8> = (0..=255).step_by(5).collect();
        let side = levels.len();
        let plane = |channel: u32| {
            let levels = &levels;
            (0..side.pow(3)).map(move |place| levels[place / side.pow(channel) % side])
        };
        let grid = Picture { channels: 3, height: side, width: side * side, bytes: (0..3).flat_map(plane).collect() };
        for case in pillow("hue_grid") {
            let mut found = grid.clone();
            turn(&mut found, case.numbers[0]);
            assert_eq!(Sha256::digest(&found.bytes).to_vec(), case.output, "{:?}", case.numbers);
        }
    }
}
