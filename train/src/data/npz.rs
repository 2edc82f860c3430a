//! Arrays in numpy's `.npz` archives.
//!
//! # Source
//! numpy, "NPY format": magic bytes, a header that names type, order and shape, then the numbers.

use super::DataError;
use super::array::Array;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use zip::ZipArchive;
use zip::result::ZipError;

/// A `.npz` archive.
pub(crate) struct Npz {
    file: String,
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// Opens an archive.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let file = path.display().to_string();
        let reader = BufReader::new(File::open(path).map_err(DataError::io("read", path))?);
        let problem = |error: ZipError| format!("it is no .npz archive, or it is cut off: {error}");
        let archive = ZipArchive::new(reader)
            .map_err(|error| DataError::Format { file: file.clone(), problem: problem(error) })?;
        Ok(Self { file, archive })
    }

    /// Reads an array. The archive's own checksum is compared.
    pub fn array(&mut self, key: &str) -> Result<Array, DataError> {
        let problem = |problem: String| DataError::Format { file: self.file.clone(), problem };
        let mut entry = self.archive.by_name(&format!("{key}.npy")).map_err(|error| match error {
            ZipError::FileNotFound => problem(format!("it has no array {key:?}")),
            error => problem(format!("array {key:?}: {error}")),
        })?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| problem(format!("array {key:?} is damaged: {error}")))?;
        decode(content).map_err(|reason| problem(format!("array {key:?}: {reason}")))
    }
}

const MAGIC: &[u8] = b"\x93NUMPY";
/// Types of integers that are read: signed and unsigned, little-endian.
const TYPES: [(&str, usize); 8] =
    [("|u1", 1), ("|i1", 1), ("<u2", 2), ("<i2", 2), ("<u4", 4), ("<i4", 4), ("<u8", 8), ("<i8", 8)];

fn decode(mut content: Vec<u8>) -> Result<Array, String> {
    let short = || "it is cut off".to_owned();
    let version = *content.strip_prefix(MAGIC).ok_or("it is no .npy")?.first().ok_or_else(short)?;
    // The length of the header has two bytes in version 1 and four later.
    let width = if version == 1 { 2 } else { 4 };
    let mut length = [0; 4];
    length[..width].copy_from_slice(content.get(8..8 + width).ok_or_else(short)?);
    let start = 8 + width + u32::from_le_bytes(length) as usize;
    let header = String::from_utf8_lossy(content.get(8 + width..start).ok_or_else(short)?).into_owned();
    let kind = value(&header, "descr").unwrap_or_default();
    let Some((_, size)) = TYPES.iter().find(|(name, _)| kind.trim_matches('\'') == *name) else {
        return Err(format!("its type is {kind}; integers are expected, as in '|u1'"));
    };
    if value(&header, "fortran_order") != Some("False") {
        return Err("it is in column-major order; save it with numpy.ascontiguousarray".into());
    }
    let shape = shape(&header).ok_or_else(|| format!("its header has no shape: {header}"))?;
    let bytes = content.split_off(start);
    match shape.iter().try_fold(*size, |len, side| len.checked_mul(*side)) {
        Some(len) if len == bytes.len() => Ok(Array { shape, bytes }),
        _ => Err(format!("it has {} bytes, which do not make the shape {shape:?}", bytes.len())),
    }
}

/// The text between a key and the next comma.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    rest.split([',', '}']).next().map(str::trim)
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let (_, rest) = header.split_once("'shape':")?;
    let (inside, _) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
    inside.split(',').map(str::trim).filter(|side| !side.is_empty()).map(|side| side.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(version: u8, header: &str, bytes: &[u8]) -> Vec<u8> {
        let length = (header.len() as u32).to_le_bytes();
        let length = if version == 1 { &length[..2] } else { &length[..] };
        [MAGIC, &[version, 0], length, header.as_bytes(), bytes].concat()
    }

    #[test]
    fn headers_of_every_version_are_read() {
        for version in [1, 2, 3] {
            let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }   \n";
            let array = decode(npy(version, header, &[1, 2, 3, 4, 5, 6])).unwrap();
            assert_eq!((array.shape, array.bytes), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
        }
        let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }";
        assert_eq!(decode(npy(1, header, &7i64.to_le_bytes())).unwrap().integers(), Ok(vec![7]));
    }

    #[test]
    fn what_is_no_array_of_integers_is_refused() {
        let cases = [
            (b"text".to_vec(), "no .npy"),
            (npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", &[0; 4]), "its type is '<f4'"),
            (npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 1), }", &[0]), "column-major"),
            (npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", &[0; 4]), "it has 4 bytes"),
            (npy(1, "{'descr': '|u1', 'fortran_order': False, }", &[0; 4]), "no shape"),
            (npy(2, "", &[])[..9].to_vec(), "cut off"),
        ];
        for (content, part) in cases {
            let message = decode(content).unwrap_err();
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}
