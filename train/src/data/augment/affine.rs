//! Shears, shifts and turns: every target pixel takes the nearest source pixel, or black.

use super::Picture;

/// Where the pixels of a target come from: `x' = a x + b y + c`, `y' = d x + e y + f`.
type Map = [f64; 6];

/// Leans rows to the left by `slope` pixels a row.
pub(super) fn shear_x(picture: &Picture, slope: f64) -> Picture {
    transform(picture, [1.0, slope, 0.0, 0.0, 1.0, 0.0])
}

/// Leans columns upwards by `slope` pixels a column.
pub(super) fn shear_y(picture: &Picture, slope: f64) -> Picture {
    transform(picture, [1.0, 0.0, 0.0, slope, 1.0, 0.0])
}

/// Shifts to the right.
pub(super) fn translate_x(picture: &Picture, pixels: f64) -> Picture {
    transform(picture, [1.0, 0.0, -pixels.trunc(), 0.0, 1.0, 0.0])
}

/// Shifts downwards.
pub(super) fn translate_y(picture: &Picture, pixels: f64) -> Picture {
    transform(picture, [1.0, 0.0, 0.0, 0.0, 1.0, -pixels.trunc()])
}

/// Turns counter-clockwise around the centre.
pub(super) fn rotate(picture: &Picture, degrees: f64) -> Picture {
    // Fifteen digits, as Pillow rounds, so that a quarter turn has no rest.
    let round = |value: f64| (value * 1e15).round_ties_even() / 1e15;
    let angle = -degrees.to_radians();
    let (cos, sin) = (round(angle.cos()), round(angle.sin()));
    let (x, y) = (picture.width as f64 / 2.0, picture.height as f64 / 2.0);
    transform(picture, [cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y])
}

/// # Source
/// Pillow's `Image.transform` with `AFFINE` and `NEAREST`: fixed point with 16 fractional bits, at the centres of pixels.
fn transform(picture: &Picture, map: Map) -> Picture {
    let fixed = |value: f64| (value * 65536.0 + 0.5).floor() as i64;
    let [a, b, d, e] = [map[0], map[1], map[3], map[4]].map(fixed);
    let c = fixed(map[2] + map[0] * 0.5 + map[1] * 0.5);
    let f = fixed(map[5] + map[3] * 0.5 + map[4] * 0.5);
    let Picture { height, width, .. } = *picture;
    let source = |place: usize| -> Option<usize> {
        let (row, column) = ((place / width) as i64, (place % width) as i64);
        let x = usize::try_from((a * column + b * row + c) >> 16).ok().filter(|x| *x < width)?;
        let y = usize::try_from((d * column + e * row + f) >> 16).ok().filter(|y| *y < height)?;
        Some(y * width + x)
    };
    let sources: Vec<Option<usize>> = (0..picture.plane()).map(source).collect();
    let planes = picture.bytes.chunks_exact(picture.plane());
    let bytes = planes.flat_map(|plane| sources.iter().map(|source| source.map_or(0, |place| plane[place]))).collect();
    Picture { bytes, ..*picture }
}
