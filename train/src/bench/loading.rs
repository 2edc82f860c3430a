//! How fast images are loaded, for it to be held against what a step needs.

use crate::Error;
use crate::data::{self, Augment, Dataset, Loader, LoaderConfig, Reading, Split};
use crate::seeds::{self, Purpose};
use image::{DynamicImage, Rgb, RgbImage};
use rand::Rng;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Images of a batch, and side of an image in pixels: those of the ResNet step.
const BATCH_SIZE: usize = 16;
const SIDE: usize = 32;
/// Images in memory.
const HELD: usize = 2048;
/// Files, and their width and height in pixels: those of ImageNet's middle.
const FILES: u64 = 64;
const FILE_SIZE: (u32, u32) = (500, 375);

/// How fast one thread loads images.
#[derive(Clone, Debug)]
pub struct Loading {
    /// Where images come from and what is done to them.
    pub name: &'static str,
    /// Images of a thread a second, with nothing beside it.
    pub images_per_second: f64,
}

/// Measures both ways that a training has its images, each for a time: pixels in memory, and files that are decoded for every
/// batch.
///
/// # Errors
/// [`Error::Io`] or [`Error::Data`] when the images cannot be written to a temporary folder and read again.
pub fn run(time: Duration) -> Result<Vec<Loading>, Error> {
    let augment = Augment { crop_padding: SIDE / 8, flip: true, ..Augment::default() };
    let held = measure(held(), augment, time)?;
    let folder = tempfile::tempdir().map_err(Error::io("cannot make a folder in", &std::env::temp_dir()))?;
    write_files(folder.path())?;
    let reading = Reading { size: Some(SIDE), channels: Some(3), memory_mb: 0, ..Reading::default() };
    let files = data::open_with(&format!("images:{}", folder.path().display()), &reading)?;
    let streamed = measure(files, augment, time)?;
    Ok(vec![
        Loading { name: "32x32 in memory, cropped and flipped", images_per_second: held },
        Loading { name: "JPEG files of 500x375, decoded anew for every batch", images_per_second: streamed },
    ])
}

/// Images of a second.
fn measure(dataset: Dataset, augment: Augment, time: Duration) -> Result<f64, Error> {
    let indices = Arc::new((0..dataset.train.len()).collect());
    let config =
        LoaderConfig { batch_size: BATCH_SIZE, last_step: u32::MAX.into(), augment, ..LoaderConfig::default() };
    let mut loader = Loader::new(Arc::new(dataset), indices, config)?;
    // The first batches are loaded ahead, and one of them fills the caches.
    for _ in 0..=LoaderConfig::default().prefetch {
        loader.next().transpose()?;
    }
    let (started, mut images) = (Instant::now(), 0);
    while images == 0 || started.elapsed() < time {
        images += loader.next().transpose()?.map_or(0, |batch| batch.labels.len());
    }
    Ok(images as f64 / started.elapsed().as_secs_f64())
}

fn held() -> Dataset {
    let split = |count: usize| Split::held(noise(0, count * 3 * SIDE * SIDE), vec![0; count]);
    Dataset {
        name: "noise".into(),
        channels: 3,
        native: (SIDE, SIDE),
        cropped: false,
        height: SIDE,
        width: SIDE,
        labels: Vec::new(),
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
        train: split(HELD),
        validation: split(0),
        test: split(0),
        skipped: Vec::new(),
        notices: Vec::new(),
    }
}

fn noise(image: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    seeds::generator(0, Purpose::Noise, image).fill_bytes(&mut bytes);
    bytes
}

/// Gradients with some grain, as large as photographs.
fn write_files(folder: &Path) -> Result<(), Error> {
    let (width, height) = FILE_SIZE;
    for file in 0..FILES {
        let grain = noise(file, (width * height) as usize);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            let grain = grain[(y * width + x) as usize] / 16;
            Rgb([x / 4, y / 4, (x + y) / 8].map(|value| (value as u8).saturating_add(grain)))
        });
        let path = folder.join(format!("{file}.jpg"));
        let written = DynamicImage::ImageRgb8(picture).save(&path);
        written.map_err(|error| Error::io("cannot write", &path)(std::io::Error::other(error)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_are_measured_and_memory_is_faster() {
        let found = run(Duration::from_millis(200)).unwrap();
        let [held, files] = &found[..] else { panic!("{found:?}") };
        assert!(files.images_per_second > 0.0 && held.images_per_second > files.images_per_second, "{found:?}");
    }
}
