//! The model card: what a model expects and what it gives, as one JSON document.
//!
//! It travels in the ONNX `metadata_props` under [`CARD_KEY`], so that one file describes itself; a `card.json` beside a
//! foreign `model.onnx` does the same job.

use crate::Error;
use crate::golden::Golden;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key of the card in the ONNX `metadata_props`.
pub const CARD_KEY: &str = "selfie.card";

/// Name of the image input of an exported network of this crate.
pub const INPUT_NAME: &str = "pixel_values";

/// The version of the card's layout that this crate writes and reads.
pub const CARD_VERSION: u32 = 1;

/// Bounds of what a card may ask for: far beyond any model, and no more than a machine has memory for.
const MAX_SIDE: usize = 1 << 16;
const MAX_PIXELS: usize = 1 << 26;
const MAX_GOLDEN_VALUES: usize = 1 << 26;

/// What a model expects and what it gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Layout of this document, [`CARD_VERSION`].
    pub card_version: u32,
    /// Name of the model, as clients will ask for it.
    pub name: String,
    /// What the model is for.
    pub task: Task,
    /// The one image input.
    pub input: Input,
    /// The outputs by role.
    pub outputs: Outputs,
    /// From image bytes to the input tensor.
    pub preprocessing: Preprocessing,
    /// Where the weights come from.
    #[serde(default)]
    pub provenance: Provenance,
    /// Inputs from a seed and the outputs that they must give on every runtime.
    #[serde(default)]
    pub golden: Vec<Golden>,
}

/// What a model is for, in the words of the Hugging Face hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Image in, vector out.
    ImageFeatureExtraction,
    /// Image in, vector and class scores out.
    ImageClassification,
}

/// The image input of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name of the graph's input.
    pub name: String,
    /// Element type.
    pub dtype: InputDtype,
    /// Order of the axes.
    pub layout: Layout,
    /// Number of channels: 1 (grey), 3 (RGB) or 4 (RGBA).
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl Input {
    /// The shape of a batch of `batch` images, in the order of [`Input::layout`].
    pub fn shape(&self, batch: usize) -> [usize; 4] {
        match self.layout {
            Layout::Nchw => [batch, self.channels, self.height, self.width],
            Layout::Nhwc => [batch, self.height, self.width, self.channels],
        }
    }
}

/// Element type of the image input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputDtype {
    /// Normalised 32-bit floats.
    F32,
    /// Raw bytes 0 to 255; the graph normalises.
    U8,
}

/// Order of the axes of the image input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Layout {
    /// Batch, channel, row, column.
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

/// The graph's outputs by role; at least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// The vector of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Embedding>,
    /// The class scores of an image, before softmax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logits: Option<Logits>,
}

/// The output that holds the vector of an image, `[batch, width]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Name of the graph's output.
    pub name: String,
    /// Length of the vector.
    pub width: usize,
}

/// The output that holds class scores before softmax, `[batch, labels]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logits {
    /// Name of the graph's output.
    pub name: String,
    /// Names of the classes, in the order of the scores.
    pub labels: Vec<String>,
}

/// From image bytes to the input tensor, in the order of the fields. Field names are those of Hugging Face's
/// `preprocessor_config.json` where it has them.
///
/// Before the first field an image is turned upright by its EXIF orientation, and brought to [`Input::channels`] channels of
/// eight bits: sixteen bits are rounded to eight, transparency is laid over black where the input has no channel for it
/// (`(value * alpha + 127) / 255`, rounded down), and grey is `(19595 R + 38470 G + 7471 B + 32768) / 65536`, rounded down.
/// Up to the rescale every step works on bytes and rounds to them: the resize by rows first, then by columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Whether the image is resized to [`Preprocessing::size`].
    pub do_resize: bool,
    /// Size to resize to.
    pub size: ResizeTo,
    /// Filter of the resize, as Pillow numbers it.
    pub resample: Resample,
    /// Size of the centred crop after the resize, if any. Of an odd rest the smaller half is cut at the left and at the top. A
    /// side that is too short is padded with black instead, of an odd rest the larger half at the left and at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop_size: Option<Size>,
    /// Size to pad to with black, the image in the centre, after the crop, if any. Of an odd rest the smaller half is at the
    /// left and at the top. An image that is larger is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_size: Option<Size>,
    /// Factor from bytes to floats, usually 1/255.
    pub rescale_factor: f64,
    /// Mean that is subtracted, one number a channel, after the rescale.
    pub image_mean: Vec<f32>,
    /// Standard deviation that is divided by, one number a channel.
    pub image_std: Vec<f32>,
}

/// Height and width in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

/// Size to resize to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ResizeTo {
    /// This height and width, whatever the image's aspect.
    Exact(Size),
    /// The shorter side gets this length, the longer one `shortest_edge * longer / shorter`, rounded down.
    ShortestEdge {
        /// Length in pixels.
        shortest_edge: usize,
    },
}

/// Filter of a resize, numbered as in Pillow and Hugging Face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Resample {
    /// Nearest neighbour, 0.
    Nearest,
    /// Lanczos with three lobes, 1.
    Lanczos,
    /// Triangle filter, widened when it shrinks, 2.
    Bilinear,
    /// Cubic filter with a = -0.5, widened when it shrinks, 3.
    Bicubic,
}

impl TryFrom<u8> for Resample {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        match code {
            0 => Ok(Self::Nearest),
            1 => Ok(Self::Lanczos),
            2 => Ok(Self::Bilinear),
            3 => Ok(Self::Bicubic),
            other => Err(format!("resample is {other}; known are 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic")),
        }
    }
}

impl From<Resample> for u8 {
    fn from(filter: Resample) -> u8 {
        match filter {
            Resample::Nearest => 0,
            Resample::Lanczos => 1,
            Resample::Bilinear => 2,
            Resample::Bicubic => 3,
        }
    }
}

/// Where the weights come from. Empty for a foreign model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provenance {
    /// Name of the recipe.
    pub recipe: String,
    /// Data set that the network saw.
    pub data: String,
    /// Part of the labels that fine-tuning saw, 0 to 1.
    pub label_fraction: Option<f64>,
    /// Seed of the run.
    pub seed: u64,
    /// Steps of the run.
    pub steps: u64,
    /// Numbers of the run, by name.
    pub metrics: BTreeMap<String, f64>,
    /// Version of the crate that trained it.
    pub crate_version: String,
    /// Revision of the source that trained it.
    pub source_revision: String,
    /// How the numbers were made smaller after training, if they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// What the file was compared with before it was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<Verified>,
    /// The run that the weights started from, if any.
    pub init: Option<Box<Provenance>>,
}

/// A runtime that gave the right numbers before the file was written: random inputs at the batch sizes of the golden samples, zeros,
/// and large numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// Its name.
    pub runtime: String,
    /// Outputs that were compared, over all inputs.
    pub comparisons: usize,
    /// The largest absolute difference on random inputs, rounded to one digit.
    pub max_abs_error: f64,
}

/// How numbers were made smaller after training, and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Precision {
    /// `f16`, `bf16` or `int8`.
    pub precision: String,
    /// What was kept in 32-bit floats on request: operators and module paths.
    pub keep_f32: Vec<String>,
    /// The data set whose images gave the scales of 8-bit integers, and how ranges were chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
    /// The largest absolute difference of each output from 32-bit floats: on random inputs, or on test images where
    /// images gave the scales.
    pub max_abs_error: BTreeMap<String, f64>,
    /// The smallest cosine of each output with that of 32-bit floats, on the same inputs.
    pub cosine: BTreeMap<String, f64>,
    /// Part of the test images that are classified right, before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<[f64; 2]>,
}

impl Card {
    /// Reads a card from JSON and checks it.
    ///
    /// # Errors
    /// [`Error::Card`] says which field is wrong.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let card: Self = serde_json::from_str(text).map_err(|error| Error::Card { reason: error.to_string() })?;
        card.check()?;
        Ok(card)
    }

    /// Writes the card as JSON.
    ///
    /// # Errors
    /// [`Error::Card`] when a number is not finite.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map_err(|error| Error::Card { reason: error.to_string() })
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`Error::Card`] names the field, what was expected and what was found.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Card { reason });
        if self.card_version != CARD_VERSION {
            return wrong(format!("card_version is {}; this version reads {CARD_VERSION}", self.card_version));
        }
        if self.name.is_empty() {
            return wrong("name is empty".into());
        }
        if self.outputs.embedding.is_none() && self.outputs.logits.is_none() {
            return wrong("outputs names neither an embedding nor logits".into());
        }
        if self.outputs.embedding.as_ref().is_some_and(|embedding| embedding.width == 0) {
            return wrong("outputs.embedding.width is 0".into());
        }
        if self.outputs.logits.as_ref().is_some_and(|logits| logits.labels.is_empty()) {
            return wrong("outputs.logits.labels is empty".into());
        }
        let Input { channels, height, width, .. } = self.input;
        if ![1, 3, 4].contains(&channels) || height == 0 || width == 0 {
            return wrong(format!(
                "input is {channels} x {height} x {width}; channels must be 1, 3 or 4, sides positive"
            ));
        }
        let steps = &self.preprocessing;
        let resize = match steps.size {
            ResizeTo::Exact(size) => size,
            ResizeTo::ShortestEdge { shortest_edge } => Size { height: shortest_edge, width: shortest_edge },
        };
        for (field, size) in [
            ("input", Some(Size { height, width })),
            ("preprocessing.size", steps.do_resize.then_some(resize)),
            ("preprocessing.crop_size", steps.crop_size),
            ("preprocessing.pad_size", steps.pad_size),
        ] {
            if let Some(Size { height, width }) = size
                && ([height, width].iter().any(|side| !(1..=MAX_SIDE).contains(side)) || height * width > MAX_PIXELS)
            {
                return wrong(format!(
                    "{field} is {height} x {width}; sides must be 1 to {MAX_SIDE}, and at most {MAX_PIXELS} pixels"
                ));
            }
        }
        for (field, values) in [("image_mean", &steps.image_mean), ("image_std", &steps.image_std)] {
            if values.len() != channels || values.iter().any(|value| !value.is_finite()) {
                return wrong(format!(
                    "preprocessing.{field} is {values:?}; input.channels {channels} wants as many finite numbers"
                ));
            }
        }
        if steps.image_std.contains(&0.0) {
            return wrong("preprocessing.image_std contains 0, which would divide by zero".into());
        }
        if let Some(last) = steps.final_size()
            && (last.height, last.width) != (height, width)
        {
            return wrong(format!(
                "preprocessing ends at {}x{}, input wants {height}x{width}",
                last.height, last.width
            ));
        }
        for (index, sample) in self.golden.iter().enumerate() {
            let outputs = sample.outputs.values().map(|values| &values.shape);
            let count = |shape: &Vec<usize>| shape.iter().try_fold(1usize, |count, side| count.checked_mul(*side));
            let mut counts = std::iter::once(&sample.input.shape).chain(outputs).map(count);
            if counts.any(|count| count.is_none_or(|count| count > MAX_GOLDEN_VALUES)) {
                return wrong(format!("golden sample {index} has a tensor of more than {MAX_GOLDEN_VALUES} numbers"));
            }
        }
        Ok(())
    }
}

impl Preprocessing {
    /// Height and width after the last step, where the steps fix them.
    pub fn final_size(&self) -> Option<Size> {
        let resized = match self.size {
            ResizeTo::Exact(size) if self.do_resize => Some(size),
            _ => None,
        };
        self.pad_size.or(self.crop_size).or(resized)
    }
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod tests;
