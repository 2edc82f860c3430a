//! The model card of a trained network.

use crate::data::Dataset;
use crate::run::RunRecord;
use crate::{Recipe, Stage};
use selfie_models::card::{
    CARD_VERSION, Card, INPUT_NAME, Input, InputDtype, Layout, Preprocessing, Provenance, Resample, ResizeTo, Size,
    Task,
};
use selfie_models::network::NetworkConfig;

/// The number of a run that is another one each time; without it the same training leaves the same card.
const TIMING: &str = "images_per_second";

/// The card of a network that a run trained; golden samples are added by the export.
pub(crate) fn card(recipe: &Recipe, dataset: &Dataset, network: &NetworkConfig, record: &RunRecord) -> Card {
    let outputs = network.card_outputs(dataset.labels.clone());
    Card {
        card_version: CARD_VERSION,
        name: recipe.name.clone(),
        task: match outputs.logits {
            Some(_) => Task::ImageClassification,
            None => Task::ImageFeatureExtraction,
        },
        input: Input {
            name: INPUT_NAME.into(),
            dtype: InputDtype::F32,
            layout: Layout::Nchw,
            channels: dataset.channels,
            height: dataset.height,
            width: dataset.width,
        },
        outputs,
        preprocessing: preprocessing(dataset),
        provenance: provenance(recipe, record),
        golden: Vec::new(),
    }
}

/// What the loader does to an image of the data set's files, as steps that a server can do.
fn preprocessing(dataset: &Dataset) -> Preprocessing {
    let (height, width) = dataset.native;
    let padded = (height, width) != (dataset.height, dataset.width);
    Preprocessing {
        do_resize: true,
        size: match dataset.cropped {
            true => ResizeTo::ShortestEdge { shortest_edge: height.min(width) },
            false => ResizeTo::Exact(Size { height, width }),
        },
        resample: Resample::Bilinear,
        crop_size: dataset.cropped.then_some(Size { height, width }),
        pad_size: padded.then_some(Size { height: dataset.height, width: dataset.width }),
        rescale_factor: 1.0 / 255.0,
        image_mean: dataset.mean.clone(),
        image_std: dataset.std.clone(),
    }
}

fn provenance(recipe: &Recipe, record: &RunRecord) -> Provenance {
    let mut metrics = record.metrics.clone();
    metrics.remove(TIMING);
    Provenance {
        recipe: recipe.name.clone(),
        data: recipe.data.clone(),
        label_fraction: (recipe.stage == Stage::Finetune).then_some(recipe.label_fraction),
        seed: recipe.seed,
        steps: record.steps.unwrap_or(recipe.steps),
        metrics,
        crate_version: record.crate_version.clone(),
        source_revision: record.source_revision.clone(),
        precision: None,
        verified: vec![],
        init: record.init.as_ref().map(|init| Box::new(init.provenance.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::batch_plain;
    use crate::data::idx::Images;
    use crate::data::idx_set::{IdxSet, IdxSplit};

    /// The card's steps, one after the other, on an image that needs no resize.
    fn by_the_card(steps: &Preprocessing, pixels: &[u8], rows: usize, columns: usize) -> Vec<f64> {
        let Size { height, width } = steps.pad_size.unwrap();
        let (top, left) = ((height - rows) / 2, (width - columns) / 2);
        let byte = |row: usize, column: usize| match (row.checked_sub(top), column.checked_sub(left)) {
            (Some(row), Some(column)) if row < rows && column < columns => pixels[row * columns + column],
            _ => 0,
        };
        let (mean, std) = (f64::from(steps.image_mean[0]), f64::from(steps.image_std[0]));
        (0..height * width)
            .map(|place| (f64::from(byte(place / width, place % width)) * steps.rescale_factor - mean) / std)
            .collect()
    }

    #[test]
    fn the_card_s_preprocessing_is_the_loader_s() {
        for (rows, columns) in [(28, 28), (5, 6), (9, 4)] {
            let pixels: Vec<u8> = (0..rows * columns).map(|place| (place * 37 % 256) as u8).collect();
            let images = Images { count: 1, rows, columns, pixels: pixels.clone() };
            let split = IdxSplit { images, labels: vec![1], labels_file: String::new() };
            let files = IdxSet { train: split.clone(), test: split };
            let dataset = Dataset::from_idx("toy", vec!["a".into(), "b".into()], files).unwrap();
            let expected = by_the_card(&preprocessing(&dataset), &pixels, rows, columns);
            let found = batch_plain(&dataset, &dataset.test, 0..1).unwrap();
            assert_eq!(found.len(), expected.len());
            let largest = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(largest < 1e-6, "{rows}x{columns}: {largest}");
        }
    }
}
