//! Digests: of any file, and those that a model file carries of itself and of the weights beside it.

use crate::Error;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};

/// The key of the digest in the ONNX `metadata_props`.
pub const DIGEST_KEY: &str = "selfie.sha256";

/// The key of the digest of the weights, where they lie in a second file.
pub const DATA_DIGEST_KEY: &str = "selfie.data.sha256";

/// The SHA-256 of a file in hexadecimal.
///
/// # Errors
/// [`Error::Io`] names the file.
pub fn of_file(path: &Path) -> Result<String, Error> {
    let unreadable = |source| Error::Io { action: "cannot read", path: path.to_owned(), source };
    let mut sum = Sha256::new();
    std::io::copy(&mut File::open(path).map_err(unreadable)?, &mut sum).map_err(unreadable)?;
    Ok(format!("{:x}", sum.finalize()))
}

/// The file of the weights of a model that keeps them apart: its name with `.data` behind.
pub fn data_path(model: &Path) -> PathBuf {
    let mut name = model.file_name().unwrap_or_default().to_owned();
    name.push(".data");
    model.with_file_name(name)
}

/// Compares the weights beside a model file with the digest in its metadata.
///
/// # Errors
/// [`Error::Io`] when they cannot be read, [`Error::DataDigest`] when they are others.
pub fn check_data(model: &Path, stated: &str) -> Result<(), Error> {
    let path = data_path(model);
    if of_file(&path)? == stated { Ok(()) } else { Err(Error::DataDigest { path }) }
}

/// Compares a file with the digest in its metadata: the SHA-256 of the whole file in hexadecimal, taken while zeros
/// stood in the place of the digest's own digits.
///
/// # Errors
/// [`Error::Digest`] when a byte has changed since the file was written.
pub fn check(file: &[u8], stated: &str) -> Result<(), Error> {
    let changed = || Error::Digest { stated: stated.to_owned() };
    let digits = stated.as_bytes();
    if digits.len() != 2 * Sha256::output_size() {
        return Err(changed());
    }
    let place = file.windows(digits.len()).position(|window| window == digits).ok_or_else(changed)?;
    let (head, tail) = (&file[..place], &file[place + digits.len()..]);
    let mut sum = Sha256::new_with_prefix(head);
    sum.update([b'0'].repeat(digits.len()));
    sum.update(tail);
    if format!("{:x}", sum.finalize()) == stated { Ok(()) } else { Err(changed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_another_model_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model.onnx");
        assert!(matches!(check_data(&model, ""), Err(Error::Io { path, .. }) if path.ends_with("model.onnx.data")));
        std::fs::write(data_path(&model), b"weights").unwrap();
        check_data(&model, &format!("{:x}", Sha256::digest(b"weights"))).unwrap();
        let other = format!("{:x}", Sha256::digest(b"others"));
        assert!(matches!(check_data(&model, &other), Err(Error::DataDigest { .. })));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let zeros = "0".repeat(64);
        let stated = format!("{:x}", Sha256::digest(format!("head {zeros} tail")));
        let file = format!("head {stated} tail").into_bytes();
        assert!(check(&file, &stated).is_ok());
        for (index, _) in file.iter().enumerate().filter(|(index, _)| !(5..69).contains(index)) {
            let mut changed = file.clone();
            changed[index] ^= 1;
            assert!(matches!(check(&changed, &stated), Err(Error::Digest { .. })), "byte {index}");
        }
        assert!(check(&file[..file.len() - 1], &stated).is_err(), "a byte is missing");
        assert!(check(&file, "").is_err() && check(&file, &zeros).is_err(), "another digest");
    }
}
