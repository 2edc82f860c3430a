//! Pictures that cost a decoder what photographs cost it: light and colour that change over all distances, sharp edges, and
//! the noise of a sensor.

use crate::Error;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Quality of the JPEG files.
const QUALITY: u8 = 90;
/// Cells of the coarsest noise along the longer side; each octave has twice as many.
const CELLS: f32 = 2.0;
const OCTAVES: u32 = 7;
/// What an octave keeps of the height of the one before.
const PERSISTENCE: f32 = 0.6;
const SHAPES: usize = 12;
/// Largest deviation of a pixel by the sensor, of 255.
const SENSOR_NOISE: f32 = 4.0;

/// `count` different photographs as JPEG files, the same on every machine.
///
/// # Errors
/// [`Error::Bench`] when the size is beyond what a JPEG can have.
pub fn photographs(count: u64, width: u32, height: u32) -> Result<Vec<Vec<u8>>, Error> {
    (0..count).into_par_iter().map(|seed| encode(&picture(seed, width, height))).collect()
}

fn encode(picture: &RgbImage) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(picture);
    encoded.map_err(|error| Error::bench("the photographs", error.to_string()))?;
    Ok(bytes)
}

fn picture(seed: u64, width: u32, height: u32) -> RgbImage {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let shapes: Vec<Shape> = (0..SHAPES).map(|_| Shape::random(&mut random)).collect();
    let tint: [f32; 3] = random.random();
    let longer = width.max(height) as f32;
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / longer, y as f32 / longer);
        let light = fractal(seed, u, v);
        let hue = fractal(seed ^ 0xC0102, u * 0.5, v * 0.5);
        let shape = shapes.iter().rev().find(|shape| shape.holds(u, v));
        Rgb([0, 1, 2].map(|channel| {
            let base = shape.map_or(tint[channel], |shape| shape.colour[channel]);
            let colour = 0.55 * base + 0.45 * if channel == 0 { hue } else { 1.0 - hue };
            let noise = (random.random::<f32>() - 0.5) * 2.0 * SENSOR_NOISE;
            ((0.25 + 0.75 * light) * colour * 255.0 + noise).clamp(0.0, 255.0) as u8
        }))
    })
}

/// An ellipse or a rectangle, in parts of the longer side.
struct Shape {
    centre: [f32; 2],
    radius: [f32; 2],
    colour: [f32; 3],
    round: bool,
}

impl Shape {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let radius: [f32; 2] = random.random();
        let radius = radius.map(|radius| 0.02 + 0.18 * radius);
        Self { centre: random.random(), radius, colour: random.random(), round: random.random() }
    }

    fn holds(&self, u: f32, v: f32) -> bool {
        let [x, y] = [(u - self.centre[0]) / self.radius[0], (v - self.centre[1]) / self.radius[1]];
        if self.round { x * x + y * y < 1.0 } else { x.abs().max(y.abs()) < 1.0 }
    }
}

/// Value noise in octaves, 0 to 1.
fn fractal(seed: u64, u: f32, v: f32) -> f32 {
    let (mut sum, mut whole, mut height, mut cells) = (0.0, 0.0, 1.0, CELLS);
    for octave in 0..OCTAVES {
        sum += height * noise(seed.wrapping_mul(31) + u64::from(octave), u * cells, v * cells);
        whole += height;
        (height, cells) = (height * PERSISTENCE, cells * 2.0);
    }
    sum / whole
}

/// Random values at whole coordinates, smooth between them.
fn noise(seed: u64, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (right, below) = (smooth(x - left), smooth(y - top));
    let at = |dx: u64, dy: u64| corner(seed, left as u64 + dx, top as u64 + dy);
    let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
    mix(mix(at(0, 0), at(1, 0), right), mix(at(0, 1), at(1, 1), right), below)
}

/// A number in 0 to 1 for each corner, by the finaliser of splitmix64.
fn corner(seed: u64, x: u64, y: u64) -> f32 {
    let mut z = seed ^ x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ y.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photograph_has_the_size_of_one_and_differs_from_the_next() {
        let photographs = photographs(2, 500, 375).unwrap();
        assert_ne!(photographs[0], photographs[1]);
        for jpeg in &photographs {
            let decoded = image::load_from_memory(jpeg).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (500, 375));
            let bits = jpeg.len() as f64 * 8.0 / (500.0 * 375.0);
            assert!((1.0..6.0).contains(&bits), "{bits} bits a pixel; photographs at this quality take 2 to 4");
        }
    }
}
