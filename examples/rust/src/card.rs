//! The part of a model card that an embedding needs.

use crate::Error;
use crate::pixels::Pixels;
use serde::Deserialize;

/// A model card.
#[derive(Deserialize)]
pub struct Card {
    /// What the model takes.
    pub input: Input,
    /// What it gives.
    pub outputs: Outputs,
    preprocessing: Steps,
}

/// What a model takes.
#[derive(Deserialize)]
pub struct Input {
    /// Name in the file.
    pub name: String,
    dtype: String,
    layout: String,
    channels: usize,
    height: usize,
    width: usize,
}

/// What a model gives.
#[derive(Deserialize)]
pub struct Outputs {
    /// The embedding.
    pub embedding: Output,
}

/// One output.
#[derive(Deserialize)]
pub struct Output {
    /// Name in the file.
    pub name: String,
}

#[derive(Deserialize)]
struct Steps {
    do_resize: bool,
    size: Option<Size>,
    resample: u8,
    crop_size: Option<Sides>,
    pad_size: Option<Sides>,
    rescale_factor: f64,
    image_mean: Vec<f32>,
    image_std: Vec<f32>,
}

#[derive(Deserialize)]
struct Sides {
    width: usize,
    height: usize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Exact(Sides),
    Shortest { shortest_edge: usize },
}

impl Size {
    /// Width and height after the resize; the longer side is rounded down.
    fn of(&self, width: usize, height: usize) -> (usize, usize) {
        let shorter = width.min(height);
        match *self {
            Self::Exact(Sides { width, height }) => (width, height),
            Self::Shortest { shortest_edge: edge } => {
                let side = |side: usize| if side == shorter { edge } else { (edge * side / shorter).max(1) };
                (side(width), side(height))
            }
        }
    }
}

impl Card {
    /// Reads what `selfie inspect MODEL --card` prints.
    ///
    /// # Errors
    /// The file cannot be read or is no card.
    pub fn read(path: &str) -> Result<Self, Error> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }

    /// An image as a batch of one, with its shape: upright, channels, resize, crop, pad, rescale, normalise, lay out.
    ///
    /// # Errors
    /// The image cannot be read, or the card asks for what is not known here.
    pub fn prepare(&self, image: &str) -> Result<(Vec<f32>, [usize; 4]), Error> {
        let Self { input, preprocessing: steps, .. } = self;
        if input.dtype != "f32" {
            return Err(format!("the model takes {}; these programs know f32 alone", input.dtype).into());
        }
        let mut pixels = Pixels::read(image, input.channels)?;
        if let Some(size) = steps.size.as_ref().filter(|_| steps.do_resize) {
            let (width, height) = size.of(pixels.width, pixels.height);
            pixels = pixels.resized(width, height, steps.resample)?;
        }
        if let Some(Sides { width, height }) = steps.crop_size {
            pixels = pixels.placed(width, height, |missing| missing.div_euclid(2) + missing.rem_euclid(2));
        }
        if let Some(Sides { width, height }) = steps.pad_size {
            pixels = pixels.placed(width, height, |missing| missing.div_euclid(2));
        }
        if (pixels.width, pixels.height) != (input.width, input.height) {
            return Err("the image after preprocessing has not the size that the model takes".into());
        }
        Ok(self.normalised(&pixels))
    }

    fn normalised(&self, pixels: &Pixels) -> (Vec<f32>, [usize; 4]) {
        let Self { input: Input { channels, height, width, .. }, preprocessing: steps, .. } = self;
        let number = |(index, byte): (usize, &u8)| {
            let rescaled = (f64::from(*byte) * steps.rescale_factor) as f32;
            (rescaled - steps.image_mean[index % channels]) / steps.image_std[index % channels]
        };
        let values: Vec<f32> = pixels.bytes.iter().enumerate().map(number).collect();
        if self.input.layout != "NCHW" {
            return (values, [1, *height, *width, *channels]);
        }
        let plane = |channel: usize| values.iter().skip(channel).step_by(*channels).copied();
        ((0..*channels).flat_map(plane).collect(), [1, *channels, *height, *width])
    }
}
