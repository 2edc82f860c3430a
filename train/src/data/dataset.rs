//! A data set in memory.

use super::DataError;
use super::idx::Images;
use super::idx_set::{IdxSet, IdxSplit};

/// Images are zero-padded to the next multiple of this, so that patches of 4 or 8 pixels tile them: 28 becomes 32.
pub const SIZE_MULTIPLE: usize = 8;

/// A labelled data set in memory, its images zero-padded on all sides.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The spec it was opened with.
    pub name: String,
    /// Channels an image.
    pub channels: usize,
    /// Rows and columns in the files.
    pub native: (usize, usize),
    /// Rows with padding.
    pub height: usize,
    /// Columns with padding.
    pub width: usize,
    /// Class names by label.
    pub labels: Vec<String>,
    /// Mean of the native training pixels by channel.
    /// # Units
    /// The byte range is 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of the native training pixels by channel.
    /// # Units
    /// The byte range is 0 to 1.
    pub std: Vec<f32>,
    /// For training.
    pub train: Split,
    /// For testing.
    pub test: Split,
}

/// Images and labels, equally many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// `[len, channels, height, width]`, padded.
    pub pixels: Vec<u8>,
    /// One label an image.
    pub labels: Vec<u8>,
}

impl Split {
    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The bytes of one image, `[channels, height, width]`.
    /// # Panics
    /// When `index` is not below [`Split::len`].
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        let len = self.pixels.len() / self.len();
        &self.pixels[index * len..(index + 1) * len]
    }
}

impl Dataset {
    /// Values of one padded image, over all channels.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Builds a data set of one channel from IDX files.
    /// # Errors
    /// A label names no class, or all training pixels are equal.
    pub fn from_idx(name: &str, labels: Vec<String>, files: IdxSet) -> Result<Self, DataError> {
        check_labels(&files.train, labels.len())?;
        check_labels(&files.test, labels.len())?;
        let native = (files.train.images.rows, files.train.images.columns);
        let [height, width] = [native.0, native.1].map(|size| size.next_multiple_of(SIZE_MULTIPLE));
        let (mean, std) = statistics(name, &files.train.images.pixels)?;
        let split = |part: IdxSplit| Split { pixels: pad(part.images, height, width), labels: part.labels };
        Ok(Self {
            name: name.to_owned(),
            channels: 1,
            native,
            height,
            width,
            labels,
            mean: vec![mean],
            std: vec![std],
            train: split(files.train),
            test: split(files.test),
        })
    }
}

fn check_labels(split: &IdxSplit, classes: usize) -> Result<(), DataError> {
    match split.labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(index) => {
            Err(DataError::LabelRange { file: split.labels_file.clone(), index, label: split.labels[index], classes })
        }
    }
}

/// Exact up to one rounding: the sums run over the histogram of the 256 byte values.
fn statistics(name: &str, pixels: &[u8]) -> Result<(f32, f32), DataError> {
    let mut histogram = [0u64; 256];
    for &pixel in pixels {
        histogram[usize::from(pixel)] += 1;
    }
    let count = pixels.len() as f64;
    let average = |value: &dyn Fn(f64) -> f64| -> f64 {
        histogram.iter().zip(0u16..).map(|(&times, byte)| times as f64 * value(f64::from(byte) / 255.0)).sum::<f64>()
            / count
    };
    let mean = average(&|value| value);
    let variance = average(&|value| (value - mean).powi(2));
    if histogram.iter().filter(|&&times| times > 0).count() < 2 {
        let value = pixels.first().copied().unwrap_or_default();
        return Err(DataError::Constant { name: name.to_owned(), channel: 0, value });
    }
    Ok((mean as f32, variance.sqrt() as f32))
}

/// Centres every image in zeros; of an odd number of rows or columns the larger part goes below or right.
fn pad(images: Images, height: usize, width: usize) -> Vec<u8> {
    if (images.rows, images.columns) == (height, width) {
        return images.pixels;
    }
    let (top, left) = ((height - images.rows) / 2, (width - images.columns) / 2);
    let mut padded = vec![0; images.count * height * width];
    for (source, target) in images.pixels.chunks_exact(images.image_len()).zip(padded.chunks_exact_mut(height * width))
    {
        for (from, to) in source.chunks_exact(images.columns).zip(target.chunks_exact_mut(width).skip(top)) {
            to[left..left + images.columns].copy_from_slice(from);
        }
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: usize, columns: usize, pixels: Vec<u8>, labels: Vec<u8>, test_labels: Vec<u8>) -> IdxSet {
        let split = |pixels: Vec<u8>, labels: Vec<u8>, file: &str| IdxSplit {
            images: Images { count: labels.len(), rows, columns, pixels },
            labels,
            labels_file: file.to_owned(),
        };
        let test_pixels = vec![9; test_labels.len() * rows * columns];
        IdxSet { train: split(pixels, labels, "train-file"), test: split(test_pixels, test_labels, "test-file") }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| class.to_string()).collect()
    }

    #[test]
    fn images_are_centred_in_zeros_and_statistics_ignore_the_padding() {
        let dataset = Dataset::from_idx("tiny", names(2), set(5, 6, [0, 255].repeat(30), vec![0, 1], vec![1])).unwrap();
        assert_eq!((dataset.native, dataset.height, dataset.width, dataset.image_len()), ((5, 6), 8, 8, 64));
        assert_eq!((dataset.mean[0], dataset.std[0]), (0.5, 0.5));
        assert_eq!((dataset.train.len(), dataset.test.len()), (2, 1));
        for index in 0..2 {
            let image = dataset.train.image(index);
            for (position, &pixel) in image.iter().enumerate() {
                let (row, column) = (position / 8, position % 8);
                let inside = (1..6).contains(&row) && (1..7).contains(&column);
                let expected = if inside && (column - 1) % 2 == 1 { 255 } else { 0 };
                assert_eq!(pixel, expected, "image {index}, row {row}, column {column}");
            }
        }
    }

    #[test]
    fn a_size_that_fits_stays() {
        let pixels: Vec<u8> = (0..=127).collect();
        let dataset = Dataset::from_idx("tiny", names(1), set(8, 16, pixels.clone(), vec![0], vec![0])).unwrap();
        assert_eq!((dataset.height, dataset.width, dataset.train.pixels), (8, 16, pixels));
    }

    #[test]
    fn wrong_labels_and_constant_pixels_are_refused() {
        let varied = || vec![0, 1, 2, 3, 4, 5, 6, 7];
        let cases = [
            (
                "train",
                set(2, 2, varied(), vec![0, 2], vec![0]),
                "train-file: label 2 at position 1 is out of range, there are 2 classes",
            ),
            ("test", set(2, 2, varied(), vec![0, 1], vec![1, 0, 7]), "test-file: label 7 at position 2"),
            (
                "constant",
                set(2, 2, vec![8; 8], vec![0, 1], vec![0]),
                "all training pixels of channel 0 have the value 8",
            ),
        ];
        for (case, files, part) in cases {
            let message = Dataset::from_idx("tiny", names(2), files).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(part), "{case}: {message:?}");
        }
    }
}
