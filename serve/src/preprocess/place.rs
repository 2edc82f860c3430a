//! Centred crop and centred padding with black.

use super::canvas::Canvas;
use crate::Error;

/// Crops the centre, `width` x `height`. Of an odd rest the smaller half is cut at the left and at the top. A side that
/// is too short is padded with black instead, as Hugging Face's image processors do: of an odd rest the larger half is at
/// the left and at the top.
pub fn crop(canvas: Canvas, width: usize, height: usize) -> Canvas {
    copy(&canvas, width, height, |missing| missing.div_ceil(2))
}

/// Pads with black to `width` x `height`, the image in the centre. Of an odd rest the smaller half is at the left and at
/// the top.
///
/// # Errors
/// [`Error::Image`] when the image is larger than that.
pub fn pad(canvas: Canvas, width: usize, height: usize) -> Result<Canvas, Error> {
    if canvas.width > width || canvas.height > height {
        let Canvas { width: found_width, height: found_height, .. } = canvas;
        return Err(Error::image(format!(
            "is {found_width} x {found_height} before it is padded, more than {width} x {height}"
        )));
    }
    Ok(copy(&canvas, width, height, |missing| missing / 2))
}

fn copy(canvas: &Canvas, width: usize, height: usize, before: impl Fn(usize) -> usize) -> Canvas {
    let mut target = Canvas::black(width, height, canvas.channels);
    let (from_x, to_x, columns) = overlap(canvas.width, width, &before);
    let (from_y, to_y, rows) = overlap(canvas.height, height, &before);
    for row in 0..rows {
        target.row_mut(to_x, to_y + row, columns).copy_from_slice(canvas.row(from_x, from_y + row, columns));
    }
    target
}

/// Where to read, where to write, how many.
fn overlap(from: usize, to: usize, before: impl Fn(usize) -> usize) -> (usize, usize, usize) {
    if from >= to { ((from - to) / 2, 0, to) } else { (0, before(to - from), from) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> Canvas {
        Canvas { width: bytes.len(), height: 1, channels: 1, bytes: bytes.to_vec() }
    }

    #[test]
    fn the_centre_stays_in_the_centre() {
        let cases: [(&[u8], usize, &[u8]); 4] = [
            (&[1, 2, 3, 4], 2, &[2, 3]),
            (&[1, 2, 3, 4, 5], 2, &[2, 3]),
            (&[1, 2], 4, &[0, 1, 2, 0]),
            (&[1], 4, &[0, 0, 1, 0]),
        ];
        for (from, width, expected) in cases {
            assert_eq!(crop(line(from), width, 1).bytes, expected, "crop {from:?} to {width}");
        }
        assert_eq!(pad(line(&[1]), 4, 1).unwrap().bytes, [0, 1, 0, 0]);
        assert!(pad(line(&[1, 2]), 1, 1).is_err());
    }

    #[test]
    fn rows_and_channels_stay_together() {
        let canvas = Canvas { width: 2, height: 2, channels: 3, bytes: (1..=12).collect() };
        let padded = pad(canvas.clone(), 4, 4).unwrap();
        assert_eq!(padded.row(1, 1, 2), &[1, 2, 3, 4, 5, 6]);
        assert_eq!(padded.row(1, 2, 2), &[7, 8, 9, 10, 11, 12]);
        assert_eq!(crop(padded, 2, 2), canvas);
    }
}
