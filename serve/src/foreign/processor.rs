//! `preprocessor_config.json` of Hugging Face's models: from image bytes to the input.
//!
//! # Source
//! The image processors of `transformers`; what a file leaves out is what most of them do.

use super::parsed;
use crate::Error;
use selfie_models::card::{Input, InputDtype, Preprocessing, Resample, ResizeTo, Size};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE: &str = "preprocessor_config.json";

/// Factor from bytes to numbers from 0 to 1.
pub const BYTE: f64 = 1.0 / 255.0;
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];
/// What remains of a resized image after the usual crop.
const USUAL_CROP: f64 = 224.0 / 256.0;
/// From this side on ConvNeXt's processor resizes without a crop.
const NO_CROP_FROM: usize = 384;

/// The file that was read.
#[derive(Debug)]
pub struct Read {
    /// Where it is.
    pub path: PathBuf,
    /// What it says; a mean of one number stands for all channels.
    pub steps: Preprocessing,
}

#[derive(Deserialize)]
struct Config {
    do_resize: Option<bool>,
    size: Option<Sides>,
    resample: Option<u8>,
    do_center_crop: Option<bool>,
    crop_size: Option<Sides>,
    crop_pct: Option<f64>,
    do_pad: Option<bool>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    do_normalize: Option<bool>,
    image_mean: Option<Numbers>,
    image_std: Option<Numbers>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected a number, {\"height\", \"width\"} or {\"shortest_edge\"}")]
enum Sides {
    One(usize),
    Both { height: usize, width: usize },
    Shortest { shortest_edge: usize, longest_edge: Option<usize> },
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a list of numbers")]
enum Numbers {
    One(f32),
    Each(Vec<f32>),
}

/// Reads the file.
///
/// # Errors
/// It cannot be read, or asks for what is not done here.
pub fn read(path: &Path) -> Result<Read, Error> {
    Ok(Read { path: path.to_owned(), steps: parsed(path, parse)? })
}

impl Read {
    /// The steps with a mean and a deviation for each channel.
    ///
    /// # Errors
    /// There are neither one nor as many as channels.
    pub fn for_channels(&self, channels: usize) -> Result<Preprocessing, Error> {
        let mut steps = self.steps.clone();
        for (field, values) in [("image_mean", &mut steps.image_mean), ("image_std", &mut steps.image_std)] {
            if let [one] = values[..] {
                *values = vec![one; channels];
            }
            if values.len() != channels {
                let reason = format!("{field} has {} numbers, the model's input has {channels} channels", values.len());
                return Err(Error::ModelFile { path: self.path.clone(), reason });
            }
        }
        Ok(steps)
    }
}

fn parse(text: &str) -> Result<Preprocessing, String> {
    let config: Config = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if config.do_pad == Some(true) {
        return Err("do_pad is true; padding to a multiple or to the largest image is not done here".into());
    }
    let has_crop = config.do_center_crop == Some(true);
    let mut size = match config.size {
        Some(Sides::One(side)) if has_crop || config.crop_pct.is_some() => {
            ResizeTo::ShortestEdge { shortest_edge: side }
        }
        Some(Sides::One(side)) => ResizeTo::Exact(square(side)),
        Some(Sides::Both { height, width }) => ResizeTo::Exact(Size { height, width }),
        Some(Sides::Shortest { longest_edge: Some(_), .. }) => {
            return Err("size has a longest_edge; images of different shapes are not served".into());
        }
        Some(Sides::Shortest { shortest_edge, .. }) => ResizeTo::ShortestEdge { shortest_edge },
        None if config.do_resize == Some(false) => ResizeTo::ShortestEdge { shortest_edge: 1 },
        None => return Err("size is missing".into()),
    };
    let mut crop_size = match config.crop_size.filter(|_| has_crop) {
        Some(Sides::One(side)) => Some(square(side)),
        Some(Sides::Both { height, width }) => Some(Size { height, width }),
        Some(Sides::Shortest { .. }) => return Err("crop_size has a shortest_edge; expected height and width".into()),
        None if has_crop => return Err("do_center_crop is true, but crop_size is missing".into()),
        None => None,
    };
    if let (Some(part), ResizeTo::ShortestEdge { shortest_edge }, None) = (config.crop_pct, size, crop_size) {
        if shortest_edge < NO_CROP_FROM && part > 0.0 {
            size = ResizeTo::ShortestEdge { shortest_edge: (shortest_edge as f64 / part) as usize };
            crop_size = Some(square(shortest_edge));
        } else {
            size = ResizeTo::Exact(square(shortest_edge));
        }
    }
    let normalises = config.do_normalize.unwrap_or(config.image_mean.is_some());
    let numbers = |field: &str, numbers: Option<Numbers>, none: f32| match numbers.filter(|_| normalises) {
        Some(Numbers::One(one)) => Ok(vec![one]),
        Some(Numbers::Each(each)) => Ok(each),
        None if normalises => Err(format!("do_normalize is true, but {field} is missing")),
        None => Ok(vec![none]),
    };
    Ok(Preprocessing {
        do_resize: config.do_resize.unwrap_or(true),
        size,
        resample: config.resample.map_or(Ok(Resample::Bilinear), Resample::try_from)?,
        crop_size,
        pad_size: None,
        rescale_factor: if config.do_rescale == Some(false) { 1.0 } else { config.rescale_factor.unwrap_or(BYTE) },
        image_mean: numbers("image_mean", config.image_mean, 0.0)?,
        image_std: numbers("image_std", config.image_std, 1.0)?,
    })
}

/// What is usual for such an input when no file says it, and the reason.
pub fn usual(input: &Input) -> (Preprocessing, String) {
    let Input { channels, height, width, .. } = *input;
    let is_imagenet = input.dtype == InputDtype::F32 && channels == 3;
    let crops = is_imagenet && height == width;
    let shortest_edge = (height as f64 / USUAL_CROP).round() as usize;
    let steps = Preprocessing {
        do_resize: true,
        size: if crops { ResizeTo::ShortestEdge { shortest_edge } } else { ResizeTo::Exact(Size { height, width }) },
        resample: Resample::Bilinear,
        crop_size: crops.then_some(Size { height, width }),
        pad_size: None,
        rescale_factor: BYTE,
        image_mean: if is_imagenet { IMAGENET_MEAN.to_vec() } else { vec![0.0; channels] },
        image_std: if is_imagenet { IMAGENET_STD.to_vec() } else { vec![1.0; channels] },
    };
    let what = if is_imagenet { "mean and deviation of ImageNet" } else { "a resize alone" };
    (
        steps,
        format!(
            "neither {FILE} nor timm's config.json is there, so what is usual: {what}; correct the card if the model was trained otherwise"
        ),
    )
}

fn square(side: usize) -> Size {
    Size { height: side, width: side }
}

#[cfg(test)]
#[path = "processor_tests.rs"]
mod tests;
