//! Digests: of any file, and the one that a model file carries of itself.

use crate::Error;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::Path;

/// The key of the digest in the ONNX `metadata_props`.
pub const DIGEST_KEY: &str = "selfie.sha256";

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
