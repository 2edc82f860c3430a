//! The IDX format: a magic number, the dimensions as big-endian 32-bit numbers, then one byte a value.
//!
//! # Source
//! Y. LeCun, C. Cortes, C. Burges: the MNIST database, section "File formats".

use super::DataError;

/// Magic number of unsigned bytes in three dimensions.
pub const IMAGES_MAGIC: u32 = 0x0000_0803;
/// Magic number of unsigned bytes in one dimension.
pub const LABELS_MAGIC: u32 = 0x0000_0801;

/// The images of an IDX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Number of images.
    pub count: usize,
    /// Rows an image.
    pub rows: usize,
    /// Columns an image.
    pub columns: usize,
    /// `[count, rows, columns]`, row by row.
    pub pixels: Vec<u8>,
}

impl Images {
    /// Pixels of one image.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.rows * self.columns
    }

    /// The images at these positions, in this order.
    /// # Panics
    /// When a position is not below `count`.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let len = self.image_len();
        let pixels = indices.iter().flat_map(|&index| &self.pixels[index * len..(index + 1) * len]).copied().collect();
        Self { count: indices.len(), pixels, ..*self }
    }

    /// Reads the unpacked content of an IDX file of images.
    /// # Errors
    /// The magic number, the size or the dimensions are wrong; `file` is the name to say so.
    pub fn decode(file: &str, content: Vec<u8>) -> Result<Self, DataError> {
        let [count, rows, columns] = header(file, "images", &content, IMAGES_MAGIC)?;
        if count == 0 || rows == 0 || columns == 0 {
            return Err(DataError::Empty { file: file.to_owned(), count, rows, columns });
        }
        Ok(Self { count, rows, columns, pixels: without_header(content, 3) })
    }

    /// The content of an IDX file with these images.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(IMAGES_MAGIC, &[self.count, self.rows, self.columns], &self.pixels)
    }
}

/// Reads the unpacked content of an IDX file of labels.
/// # Errors
/// The magic number or the size is wrong; `file` is the name to say so.
pub fn decode_labels(file: &str, content: Vec<u8>) -> Result<Vec<u8>, DataError> {
    let [_count] = header(file, "labels", &content, LABELS_MAGIC)?;
    Ok(without_header(content, 1))
}

/// The content of an IDX file with these labels.
#[must_use]
pub fn encode_labels(labels: &[u8]) -> Vec<u8> {
    encode(LABELS_MAGIC, &[labels.len()], labels)
}

fn header<const N: usize>(
    file: &str,
    what: &'static str,
    content: &[u8],
    expected: u32,
) -> Result<[usize; N], DataError> {
    let word = |index: usize| -> Option<u32> {
        let bytes = content.get(4 * index..4 * index + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let size = |expected: u128| DataError::Size { file: file.to_owned(), expected, found: content.len() as u128 };
    let header_len = 4 * (N as u128 + 1);
    let found = word(0).ok_or_else(|| size(header_len))?;
    if found != expected {
        return Err(DataError::Magic { file: file.to_owned(), what, expected, found });
    }
    let mut dimensions = [0; N];
    let mut values = 1u128;
    for (index, dimension) in dimensions.iter_mut().enumerate() {
        let value = word(index + 1).ok_or_else(|| size(header_len))?;
        *dimension = value as usize;
        values *= u128::from(value);
    }
    let whole = header_len + values;
    if content.len() as u128 == whole { Ok(dimensions) } else { Err(size(whole)) }
}

fn without_header(mut content: Vec<u8>, dimensions: usize) -> Vec<u8> {
    content.drain(..4 * (dimensions + 1));
    content
}

fn encode(magic: u32, dimensions: &[usize], values: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(4 + 4 * dimensions.len() + values.len());
    content.extend(magic.to_be_bytes());
    for &dimension in dimensions {
        content.extend((dimension as u32).to_be_bytes());
    }
    content.extend(values);
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn malformed_files_are_refused_with_expected_and_found() {
        let images = Images { count: 2, rows: 2, columns: 3, pixels: (0..12).collect() }.encode();
        let labels = encode_labels(&[1, 2, 3]);
        let huge = [0u8, 0, 8, 3].into_iter().chain([0xff; 12]).collect::<Vec<_>>();
        let empty = |count, rows, columns| Images { count, rows, columns, pixels: Vec::new() }.encode();
        let read_images = |content: &[u8]| Images::decode("some-file", content.to_vec()).map(|_| ());
        let read_labels = |content: &[u8]| decode_labels("some-file", content.to_vec()).map(|_| ());
        let cases: Vec<(&str, Result<(), DataError>, &str)> = vec![
            ("labels as images", read_images(&labels), "magic number 0x00000801, expected 0x00000803"),
            ("images as labels", read_labels(&images), "magic number 0x00000803, expected 0x00000801"),
            ("no magic", read_images(&[0, 0]), "2 bytes unpacked, expected 16"),
            ("no dimensions", read_images(&images[..10]), "10 bytes unpacked, expected 16"),
            ("one byte short", read_images(&images[..27]), "27 bytes unpacked, expected 28"),
            ("one byte long", read_images(&[&images[..], &[0]].concat()), "29 bytes unpacked, expected 28"),
            ("labels short", read_labels(&labels[..10]), "10 bytes unpacked, expected 11"),
            ("labels empty file", read_labels(&[]), "0 bytes unpacked, expected 8"),
            ("dimensions overflow", read_images(&huge), "16 bytes unpacked, expected 79228162458924105385300197391"),
            ("no images", read_images(&empty(0, 28, 28)), "0 images of 28x28"),
            ("no rows", read_images(&empty(5, 0, 28)), "5 images of 0x28"),
        ];
        let wrong: Vec<String> = cases
            .into_iter()
            .filter_map(|(case, result, part)| {
                let message = result.err().map_or_else(|| "no error".to_owned(), |error| error.to_string());
                (!message.contains(part) || !message.contains("some-file")).then(|| format!("{case}: {message:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let expected = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 7, 9];
        assert_eq!(Images { count: 1, rows: 2, columns: 1, pixels: vec![7, 9] }.encode(), expected);
        assert_eq!(encode_labels(&[5]), [0, 0, 8, 1, 0, 0, 0, 1, 5]);
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(count in 1usize..5, rows in 1usize..6, columns in 1usize..6, seed: u8) {
            let pixels = (0..count * rows * columns).map(|index| (index as u8).wrapping_mul(31).wrapping_add(seed)).collect();
            let images = Images { count, rows, columns, pixels };
            prop_assert_eq!(&Images::decode("file", images.encode()).unwrap(), &images);
            prop_assert_eq!(&images.select(&(0..count).collect::<Vec<_>>()), &images);
            let labels = vec![seed; count];
            prop_assert_eq!(decode_labels("file", encode_labels(&labels)).unwrap(), labels);
        }
    }
}
