//! Pixels into the slot of a batch, in the card's order of the axes.

use super::canvas::Canvas;
use selfie_models::card::Layout;

/// Writes `value(channel, byte)` of every byte into `slot`.
pub fn write<T>(canvas: &Canvas, layout: Layout, slot: &mut [T], value: impl Fn(usize, u8) -> T) {
    let Canvas { width, height, channels, .. } = *canvas;
    match layout {
        Layout::Nchw => {
            for (channel, plane) in slot.chunks_exact_mut(width * height).enumerate() {
                for (target, pixel) in plane.iter_mut().zip(canvas.bytes.chunks_exact(channels)) {
                    *target = value(channel, pixel[channel]);
                }
            }
        }
        Layout::Nhwc => {
            for (target, pixel) in slot.chunks_exact_mut(channels).zip(canvas.bytes.chunks_exact(channels)) {
                for (channel, (target, byte)) in target.iter_mut().zip(pixel).enumerate() {
                    *target = value(channel, *byte);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_or_pixels() {
        let canvas = Canvas { width: 2, height: 1, channels: 3, bytes: vec![1, 2, 3, 4, 5, 6] };
        for (layout, expected) in [(Layout::Nchw, [1, 4, 2, 5, 3, 6]), (Layout::Nhwc, [1, 2, 3, 4, 5, 6])] {
            let mut slot = [0; 6];
            write(&canvas, layout, &mut slot, |_, byte| byte);
            assert_eq!(slot, expected, "{layout:?}");
        }
    }
}
