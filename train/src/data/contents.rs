//! The unpacked content of a file, plain or gzip, and checksums.

use super::DataError;
use flate2::read::MultiGzDecoder;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads a file and unpacks it where it is gzip, whatever its name.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = fs::read(path).map_err(DataError::io("read", path))?;
    unpack(&path.display().to_string(), bytes)
}

/// Unpacks gzip; other bytes stay as they are.
pub(crate) fn unpack(file: &str, bytes: Vec<u8>) -> Result<Vec<u8>, DataError> {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes);
    }
    let mut content = Vec::new();
    MultiGzDecoder::new(bytes.as_slice())
        .read_to_end(&mut content)
        .map_err(|source| DataError::Gunzip { file: file.to_owned(), source })?;
    Ok(content)
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The MD5 of a file in lower-case hexadecimal, for sources that publish no better checksum.
pub(crate) fn md5_of_file(path: &Path) -> Result<String, DataError> {
    let mut digest = Md5::new();
    let mut file = File::open(path).map_err(DataError::io("read", path))?;
    io::copy(&mut file, &mut digest).map_err(DataError::io("read", path))?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Compares the SHA-256 of a content with the pinned one.
pub(crate) fn verify(file: &str, content: &[u8], expected: &str) -> Result<(), DataError> {
    let found = sha256(content);
    if found == expected {
        return Ok(());
    }
    Err(DataError::Damaged { file: file.to_owned(), expected: expected.to_owned(), found })
}

#[cfg(test)]
mod tests;
