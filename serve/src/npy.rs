//! NumPy's `.npy` files with a matrix of 32-bit floats.
//!
//! # Source
//! `numpy.lib.format`, version 1.0.

/// Bytes of the header that is written: room for any number of rows, and data that begins on a cache line.
pub(crate) const HEADER_BYTES: usize = 128;

const MAGIC: &[u8] = b"\x93NUMPY";
const PREFIX_BYTES: usize = 10;

/// The header of a little-endian matrix in C order, always [`HEADER_BYTES`] long.
pub(crate) fn header(rows: usize, width: usize) -> Vec<u8> {
    let fields = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
    let len = (HEADER_BYTES - PREFIX_BYTES) as u16;
    let mut bytes = [MAGIC, &[1, 0], &len.to_le_bytes(), fields.as_bytes()].concat();
    bytes.resize(HEADER_BYTES - 1, b' ');
    bytes.push(b'\n');
    bytes
}

/// A matrix in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matrix {
    /// Where its numbers begin.
    pub offset: usize,
    pub rows: usize,
    pub width: usize,
}

/// Finds the matrix in the bytes of a file.
///
/// # Errors
/// What the file holds in its place.
pub(crate) fn find(bytes: &[u8]) -> Result<Matrix, String> {
    let broken = || "is no complete .npy file".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(broken)?;
    let (start, len) = match *rest {
        [1, _, low, high, ..] => (PREFIX_BYTES, usize::from(u16::from_le_bytes([low, high]))),
        [2 | 3, _, a, b, c, d, ..] => (PREFIX_BYTES + 2, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return Err(broken()),
    };
    let offset = start + len;
    let fields = bytes.get(start..offset).and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(broken)?;
    let shape: Vec<usize> = value(fields, "shape")
        .and_then(|text| text.strip_prefix('(')?.split_once(')'))
        .map(|(sides, _)| sides.split(',').filter_map(|side| side.trim().parse().ok()).collect())
        .ok_or_else(broken)?;
    let dtype = value(fields, "descr").unwrap_or_default();
    let [rows, width] = shape[..] else {
        return Err(format!("holds an array of the shape {shape:?}; a matrix is wanted, a row for each vector"));
    };
    if !dtype.starts_with("'<f4'") || !value(fields, "fortran_order").is_some_and(|text| text.starts_with("False")) {
        return Err("holds no 32-bit floats in C order; save vectors.astype(numpy.float32)".to_owned());
    }
    let expected = rows.checked_mul(width).and_then(|len| len.checked_mul(size_of::<f32>()));
    if expected != Some(bytes.len() - offset) {
        return Err(format!("holds {} bytes of numbers, its header says {rows} x {width}", bytes.len() - offset));
    }
    Ok(Matrix { offset, rows, width })
}

/// What follows a key of the header.
fn value<'a>(fields: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = fields.split_once(&format!("'{key}':"))?;
    Some(rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_again_whatever_its_size() {
        for (rows, width) in [(0, 1), (2, 3), (60_000, 512)] {
            let mut bytes = header(rows, width);
            assert_eq!(bytes.len(), HEADER_BYTES);
            bytes.resize(HEADER_BYTES + rows * width * 4, 0);
            assert_eq!(find(&bytes), Ok(Matrix { offset: HEADER_BYTES, rows, width }));
        }
        assert_eq!(header(usize::MAX, usize::MAX).len(), HEADER_BYTES);
    }

    #[test]
    fn what_is_no_matrix_of_floats_is_refused() {
        let with = |from: &str, to: &str| {
            let mut bytes = header(1, 2);
            bytes.resize(HEADER_BYTES + 8, 0);
            let text = String::from_utf8(bytes[PREFIX_BYTES..HEADER_BYTES].to_vec()).unwrap();
            let text = format!("{:117}\n", text.replace(from, to).trim_end());
            bytes.splice(PREFIX_BYTES..HEADER_BYTES, text.into_bytes());
            bytes
        };
        assert!(find(&with("1, 2", "1, 2")).is_ok());
        for (bytes, expected) in [
            (b"PK".to_vec(), "no complete"),
            (header(1, 2)[..50].to_vec(), "no complete"),
            (header(1, 2), "0 bytes"),
            (with("<f4", "<f8"), "32-bit"),
            (with("False", "True"), "C order"),
            (with("(1, 2)", "(2,)"), "[2]"),
            (with("1, 2", "4611686018427387904, 4"), "its header says"),
        ] {
            let message = find(&bytes).unwrap_err();
            assert!(message.contains(expected), "{message:?} does not say {expected:?}");
        }
    }
}
