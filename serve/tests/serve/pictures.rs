//! Images that are made here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage};
use std::io::Cursor;

/// A picture that differs with `seed`.
pub fn picture(seed: u32, width: u32, height: u32) -> DynamicImage {
    let value = |x: u32, y: u32, band: u32| (x * (7 + seed) + y * (13 + band) + seed * 31 + band * 50) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([value(x, y, 0), value(x, y, 1), value(x, y, 2)])).into()
}

pub fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn png(seed: u32) -> Vec<u8> {
    encode(&picture(seed, 20, 15), ImageFormat::Png)
}

pub fn jpeg(seed: u32) -> Vec<u8> {
    encode(&picture(seed, 40, 30), ImageFormat::Jpeg)
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn animated_gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.encode_frames((0..3).map(|seed| Frame::new(picture(seed, 8, 8).into_rgba8()))).unwrap();
    drop(encoder);
    bytes
}

/// A BMP whose header claims more pixels than anybody has memory for.
pub fn huge_header() -> Vec<u8> {
    let mut bytes = encode(&picture(1, 4, 4), ImageFormat::Bmp);
    bytes[18..22].copy_from_slice(&20_000u32.to_le_bytes());
    bytes[22..26].copy_from_slice(&20_000u32.to_le_bytes());
    bytes
}
