//! Golden samples of a network: what Burn itself answers, to be reproduced by every runtime.

use crate::Error;
use crate::card::{Card, Input, InputDtype, Layout};
use crate::golden::{Algorithm, Generator, Golden, Values};
use burn::tensor::TensorData;
use std::collections::BTreeMap;

/// Batch sizes of the golden samples.
pub const GOLDEN_BATCHES: [usize; 3] = [1, 2, 7];

/// Largest absolute difference that golden samples accept.
pub const GOLDEN_TOLERANCE: f32 = 1e-4;

/// Runs a network on the inputs of [`GOLDEN_BATCHES`], in the form that the card declares, and keeps its answers. Floats
/// are uniform in [-2, 2), about what normalised images hold; bytes are uniform in [0, 256), rounded down.
///
/// `answer` takes normalised images, channels first, and gives outputs by their names in the graph.
///
/// # Errors
/// [`Error::Config`] when an answer is not finite; whatever `answer` says.
pub fn record<E: From<Error>>(
    card: &Card,
    answer: impl Fn(TensorData) -> Result<Vec<(String, TensorData)>, E>,
) -> Result<Vec<Golden>, E> {
    let sample = |batch: usize| {
        let input = generator(card, batch, batch as u64);
        let mut outputs = BTreeMap::new();
        for (name, data) in answer(network_input(card, batch, &input.values()))? {
            let values: Vec<f32> = data.iter::<f32>().collect();
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(Error::Config { reason: format!("output {name:?} of the network is {value}") }.into());
            }
            outputs.insert(name, Values::pack(&data.shape().to_vec(), &values));
        }
        Ok(Golden { input, outputs, tolerance: GOLDEN_TOLERANCE })
    };
    GOLDEN_BATCHES.into_iter().map(sample).collect()
}

/// Uniform inputs in the form that the card declares.
pub fn generator(card: &Card, batch: usize, seed: u64) -> Generator {
    let (low, high) = match card.input.dtype {
        InputDtype::F32 => (-2.0, 2.0),
        InputDtype::U8 => (0.0, 256.0),
    };
    let shape = card.input.shape(batch).to_vec();
    Generator { generator: Algorithm::SplitMix64Uniform, seed, shape, low, high }
}

/// What the network itself sees of inputs in the form that the card declares: normalised, channels first.
///
/// # Shapes
/// - `values`: a batch as [`crate::card::Input::shape`] orders it → `[batch, channels, height, width]`
pub fn network_input(card: &Card, batch: usize, values: &[f32]) -> TensorData {
    let Input { channels, height, width, .. } = card.input;
    let pixels = height * width;
    let steps = &card.preprocessing;
    let value = |channel: usize, value: f32| match card.input.dtype {
        InputDtype::F32 => value,
        InputDtype::U8 => {
            let scaled = (f64::from(value.floor()) * steps.rescale_factor) as f32;
            (scaled - steps.image_mean[channel]) / steps.image_std[channel]
        }
    };
    let at = |image: usize, channel: usize, pixel: usize| match card.input.layout {
        Layout::Nchw => values[(image * channels + channel) * pixels + pixel],
        Layout::Nhwc => values[(image * pixels + pixel) * channels + channel],
    };
    let planes = (0..batch).flat_map(|image| (0..channels).map(move |channel| (image, channel)));
    let numbers = planes.flat_map(|(image, channel)| (0..pixels).map(move |pixel| (image, channel, pixel)));
    let numbers = numbers.map(|(image, channel, pixel)| value(channel, at(image, channel, pixel))).collect::<Vec<_>>();
    TensorData::new(numbers, [batch, channels, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Embedding, Outputs, Preprocessing, Provenance, Resample, ResizeTo, Size, Task};

    #[test]
    fn bytes_are_rounded_down_normalised_and_laid_out_channels_first() {
        let size = Size { height: 1, width: 2 };
        let card = Card {
            card_version: 1,
            name: "m".into(),
            task: Task::ImageFeatureExtraction,
            input: Input {
                name: "x".into(),
                dtype: InputDtype::U8,
                layout: Layout::Nhwc,
                channels: 3,
                height: size.height,
                width: size.width,
            },
            outputs: Outputs { embedding: Some(Embedding { name: "e".into(), width: 1 }), logits: None },
            preprocessing: Preprocessing {
                do_resize: true,
                size: ResizeTo::Exact(size),
                resample: Resample::Bilinear,
                crop_size: None,
                pad_size: None,
                rescale_factor: 0.5,
                image_mean: vec![0.0, 1.0, 2.0],
                image_std: vec![1.0, 2.0, 4.0],
            },
            provenance: Provenance::default(),
            golden: vec![],
        };
        let found = network_input(&card, 1, &[2.9, 4.0, 8.0, 6.0, 2.0, 4.9]);
        assert_eq!(found, TensorData::new(vec![1.0f32, 3.0, 0.5, 0.0, 0.5, 0.0], [1, 3, 1, 2]));
        assert_eq!(generator(&card, 2, 1).shape, [2, 1, 2, 3]);
    }
}
