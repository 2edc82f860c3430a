//! `pretrained_cfg` in the `config.json` of timm's models: from image bytes to the input.
//!
//! # Source
//! `timm.data.create_transform` for evaluation; what a file leaves out is what it does then. Where an odd number of pixels is cut off, its
//! crop may lie one beside ours: torchvision rounds halves to even numbers.

use super::parsed;
use super::processor::{BYTE, Read};
use crate::Error;
use selfie_models::card::{Preprocessing, Resample, ResizeTo, Size};
use serde::Deserialize;
use std::path::Path;

/// Part of a resized image that remains after the crop.
const CROP: f64 = 0.875;

#[derive(Deserialize)]
struct Config {
    pretrained_cfg: Option<Pretrained>,
}

#[derive(Deserialize)]
struct Pretrained {
    /// Channels, height, width.
    input_size: [usize; 3],
    /// The same for evaluation, where that has another size.
    test_input_size: Option<[usize; 3]>,
    interpolation: Option<String>,
    crop_pct: Option<f64>,
    test_crop_pct: Option<f64>,
    crop_mode: Option<String>,
    mean: Vec<f32>,
    std: Vec<f32>,
}

/// Reads the file, if it is one of timm's. `fixed` are height and width that the graph wants, as far as it says so.
///
/// # Errors
/// It cannot be read, or asks for what is not done here.
pub fn read(path: &Path, fixed: [Option<usize>; 2]) -> Result<Option<Read>, Error> {
    let steps = parsed(path, |text| parse(text, fixed))?;
    Ok(steps.map(|steps| Read { path: path.to_owned(), steps }))
}

fn parse(text: &str, fixed: [Option<usize>; 2]) -> Result<Option<Preprocessing>, String> {
    let config: Config = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Some(config) = config.pretrained_cfg else { return Ok(None) };
    let wants = |[_, height, width]: [usize; 3]| fixed == [Some(height), Some(width)];
    let test = config.test_input_size.filter(|size| wants(*size) && !wants(config.input_size));
    let [_, height, width] = test.unwrap_or(config.input_size);
    let crop = test.and(config.test_crop_pct).or(config.crop_pct).unwrap_or(CROP);
    if crop.is_nan() || crop <= 0.0 {
        return Err(format!("crop_pct is {crop}; expected a number above 0"));
    }
    let scaled = |side: usize| (side as f64 / crop).floor() as usize;
    let size = match config.crop_mode.as_deref() {
        None | Some("center") if height == width => ResizeTo::ShortestEdge { shortest_edge: scaled(height) },
        Some("squash") => ResizeTo::Exact(Size { height: scaled(height), width: scaled(width) }),
        mode => {
            let mode = mode.unwrap_or("center");
            return Err(format!("crop_mode {mode} of images of {height} x {width} is not done here"));
        }
    };
    let resample = match config.interpolation.as_deref() {
        Some("nearest") => Resample::Nearest,
        Some("lanczos") => Resample::Lanczos,
        None | Some("bilinear") => Resample::Bilinear,
        Some("bicubic") => Resample::Bicubic,
        Some(other) => return Err(format!("interpolation is {other}; known are nearest, lanczos, bilinear, bicubic")),
    };
    Ok(Some(Preprocessing {
        do_resize: true,
        size,
        resample,
        crop_size: Some(Size { height, width }),
        pad_size: None,
        rescale_factor: BYTE,
        image_mean: config.mean,
        image_std: config.std,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: &str = r#""mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]"#;

    fn config(more: &str) -> String {
        format!(r#"{{"architecture": "resnet50", "pretrained_cfg": {{{MEAN}, {more}}}}}"#)
    }

    #[test]
    fn the_files_of_well_known_models_are_read() {
        // resnet50.a1_in1k, which is evaluated at another size than it was trained at
        let resnet = r#""input_size": [3, 224, 224], "test_input_size": [3, 288, 288], "interpolation": "bicubic", "crop_pct": 0.95,
                        "test_crop_pct": 1.0, "crop_mode": "center""#;
        let open = [None, None];
        for (fixed, edge, side) in
            [(open, 235, 224), ([Some(224); 2], 235, 224), ([Some(288); 2], 288, 288), ([Some(160); 2], 235, 224)]
        {
            let steps = parse(&config(resnet), fixed).unwrap().unwrap();
            assert_eq!(steps.size, ResizeTo::ShortestEdge { shortest_edge: edge }, "{fixed:?}");
            let crop_size = Some(Size { height: side, width: side });
            assert_eq!((steps.crop_size, steps.resample), (crop_size, Resample::Bicubic), "{fixed:?}");
            assert_eq!((steps.image_mean[0], steps.image_std[2], steps.rescale_factor), (0.485, 0.225, BYTE));
        }
        let short = parse(&config(r#""input_size": [3, 224, 224]"#), open).unwrap().unwrap();
        assert_eq!((short.size, short.resample), (ResizeTo::ShortestEdge { shortest_edge: 256 }, Resample::Bilinear));
        let squash = parse(&config(r#""input_size": [3, 64, 128], "crop_pct": 1.0, "crop_mode": "squash""#), open);
        assert_eq!(squash.unwrap().unwrap().size, ResizeTo::Exact(Size { height: 64, width: 128 }));
        assert_eq!(parse(r#"{"model_type": "vit"}"#, open), Ok(None));
    }

    #[test]
    fn what_is_not_done_here_is_refused_by_name() {
        for (more, expected) in [
            (r#""input_size": [3, 224, 224], "crop_mode": "border""#, "crop_mode border"),
            (r#""input_size": [3, 224, 448]"#, "crop_mode center of images of 224 x 448"),
            (r#""input_size": [3, 224, 224], "interpolation": "random""#, "interpolation is random"),
            (r#""input_size": [3, 224, 224], "crop_pct": 0.0"#, "crop_pct is 0"),
            (r#""input_size": 224"#, "invalid type"),
        ] {
            let refused = parse(&config(more), [None, None]).unwrap_err();
            assert!(refused.contains(expected), "{more}: {refused}");
        }
    }
}
