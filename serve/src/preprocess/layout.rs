//! Pixels as an item of the input, in the card's order of the axes.

use super::canvas::Canvas;
use selfie_models::card::Layout;

/// `value(channel, byte)` of every byte, in the place of `item`.
pub fn write<T>(canvas: &Canvas, layout: Layout, mut item: Vec<T>, value: impl Fn(usize, u8) -> T) -> Vec<T> {
    let Canvas { width, height, channels, .. } = *canvas;
    match layout {
        Layout::Nchw => {
            for (channel, plane) in item.chunks_exact_mut(width * height).enumerate() {
                for (target, pixel) in plane.iter_mut().zip(canvas.bytes.chunks_exact(channels)) {
                    *target = value(channel, pixel[channel]);
                }
            }
        }
        Layout::Nhwc => {
            for (target, pixel) in item.chunks_exact_mut(channels).zip(canvas.bytes.chunks_exact(channels)) {
                for (channel, (target, byte)) in target.iter_mut().zip(pixel).enumerate() {
                    *target = value(channel, *byte);
                }
            }
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_or_pixels() {
        let canvas = Canvas { width: 2, height: 1, channels: 3, bytes: vec![1, 2, 3, 4, 5, 6] };
        for (layout, expected) in [(Layout::Nchw, [1, 4, 2, 5, 3, 6]), (Layout::Nhwc, [1, 2, 3, 4, 5, 6])] {
            assert_eq!(write(&canvas, layout, vec![0; 6], |_, byte| byte), expected, "{layout:?}");
        }
    }
}
