//! A contact sheet: one picture of many images, a row for every class.

use super::DataError;
use super::reading::Reading;
use super::sample::Sample;
use super::source::catalog;
use image::imageops::{FilterType, overlay};
use image::{Rgb, RgbImage};
use rayon::prelude::*;
use std::path::Path;

/// Images of a row, at most.
const COLUMNS: usize = 12;
/// Rows, at most.
const ROWS: usize = 60;
/// Pixels of a side of an image, and of the gap between two.
const SIDE: u32 = 48;
const GAP: u32 = 4;
const PAPER: Rgb<u8> = Rgb([32, 32, 36]);
/// What stands for an image that cannot be decoded.
const DAMAGED: Rgb<u8> = Rgb([200, 30, 30]);

/// Draws training images of a data set into a PNG file: for every class a row, in the order of the labels, its images
/// taken evenly. Without labels all rows are of one kind. A red square stands for a damaged image.
/// # Errors
/// The data set cannot be read, or the file cannot be written.
pub fn sheet(spec: &str, reading: &Reading, path: &Path) -> Result<(), DataError> {
    let catalog = catalog(spec, reading)?.settle(reading)?;
    let rows = rows(&catalog.train, catalog.labels.len());
    let extent = |cells: usize| cells as u32 * (SIDE + GAP) + GAP;
    let mut paper = RgbImage::from_pixel(extent(COLUMNS), extent(rows.len()), PAPER);
    let cells: Vec<(usize, usize, RgbImage)> = (rows.par_iter().enumerate())
        .flat_map_iter(|(row, samples)| {
            samples.iter().enumerate().map(move |(column, sample)| (row, column, cell(sample)))
        })
        .collect();
    for (row, column, image) in cells {
        let place = |cell: usize, side: u32| i64::from(extent(cell) + (SIDE - side) / 2);
        overlay(&mut paper, &image, place(column, image.width()), place(row, image.height()));
    }
    let file = path.display().to_string();
    paper
        .save_with_format(path, image::ImageFormat::Png)
        .map_err(|error| DataError::Format { file, problem: format!("the contact sheet cannot be written: {error}") })
}

fn rows(samples: &[Sample], classes: usize) -> Vec<Vec<&Sample>> {
    if classes == 0 {
        let chosen = evenly(&samples.iter().collect::<Vec<_>>(), COLUMNS * COLUMNS);
        return chosen.chunks(COLUMNS).map(<[&Sample]>::to_vec).collect();
    }
    let row = |class: usize| {
        let members: Vec<&Sample> = samples.iter().filter(|sample| sample.label == class as i64).collect();
        evenly(&members, COLUMNS)
    };
    (0..classes.min(ROWS)).map(row).collect()
}

fn evenly<'a>(samples: &[&'a Sample], count: usize) -> Vec<&'a Sample> {
    let count = count.min(samples.len());
    (0..count).map(|index| samples[index * samples.len() / count]).collect()
}

/// An image in its cell, small ones enlarged to whole multiples so that their pixels stay sharp.
fn cell(sample: &Sample) -> RgbImage {
    match sample.decode() {
        Ok(image) if image.width().max(image.height()) > SIDE => image.thumbnail(SIDE, SIDE).into_rgb8(),
        Ok(image) => {
            let factor = SIDE / image.width().max(image.height());
            image.resize_exact(image.width() * factor, image.height() * factor, FilterType::Nearest).into_rgb8()
        }
        Err(_) => RgbImage::from_pixel(SIDE, SIDE, DAMAGED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        sheet("fashion-mnist-sample", &Reading::default(), &path).unwrap();
        let sheet = image::open(&path).unwrap().into_rgb8();
        assert_eq!(sheet.dimensions(), (12 * 52 + 4, 10 * 52 + 4));
        let bright = |row: u32| (0..sheet.width()).any(|x| sheet.get_pixel(x, row * 52 + 28)[0] > 128);
        assert!((0..10).all(bright), "a row is empty");
    }
}
