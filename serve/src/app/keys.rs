//! Keys in a file, one a line, compared in constant time. The file is read again when it changes.

use crate::Error;
use crate::watched::Watched;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use subtle::{Choice, ConstantTimeEq};

type Hash = [u8; 32];

/// The keys of a file.
pub struct Keys {
    path: PathBuf,
    read: Mutex<Read>,
}

/// What the file held when it was read last.
struct Read {
    hashes: Vec<Hash>,
    file: Watched,
}

impl Keys {
    /// Reads the file: a key a line; empty lines and those that begin with `#` are skipped.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Option`] for a file without a key.
    pub fn open(option: &'static str, path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io { action: "read", path: path.to_owned(), source };
        // As it is before it is read: what changes meanwhile is read again.
        let file = Watched::new([path.to_owned()]);
        let hashes = hashes(&fs::read_to_string(path).map_err(failed)?);
        if hashes.is_empty() {
            let reason = format!("{} holds no key; write one a line", path.display());
            return Err(Error::Option { option, reason });
        }
        Ok(Self { path: path.to_owned(), read: Mutex::new(Read { hashes, file }) })
    }

    /// Whether the key is one of the file. How long that takes says nothing about the keys.
    pub fn contain(&self, key: &str) -> bool {
        let hash = hash(key);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.file.have_changed() {
            self.read_again(&mut read);
        }
        read.hashes.iter().fold(Choice::from(0), |found, known| found | known[..].ct_eq(&hash[..])).into()
    }

    /// Reads the file again. One that cannot be read or is empty leaves the keys as they are.
    fn read_again(&self, read: &mut Read) {
        let path = self.path.display();
        match fs::read_to_string(&self.path).map(|text| hashes(&text)) {
            Ok(hashes) if !hashes.is_empty() => {
                tracing::info!("{path} has changed: {} keys", hashes.len());
                read.hashes = hashes;
                return;
            }
            Ok(_) => tracing::error!("{path} holds no key; the old keys stay"),
            Err(error) => tracing::error!("{path} cannot be read, the old keys stay: {error}"),
        }
        read.file.look_again();
    }
}

fn hashes(text: &str) -> Vec<Hash> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(hash).collect()
}

fn hash(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(keys: &Keys) {
        keys.read.lock().unwrap().file.looked(true);
    }

    /// As if the file had been looked at just now, however long the test takes.
    fn just_looked(keys: &Keys) {
        keys.read.lock().unwrap().file.looked(false);
    }

    #[test]
    fn keys_are_read_again_when_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, "# for the shop\nfirst\n\n  second  \n").unwrap();
        let keys = Keys::open("api_keys", &path).unwrap();
        let known = |names: [&str; 5]| names.map(|name| keys.contain(name));
        let names = ["first", "second", "third", "", "# for the shop"];
        assert_eq!(known(names), [true, true, false, false, false]);

        just_looked(&keys);
        fs::write(&path, "third\n").unwrap();
        assert!(keys.contain("first"), "the file is not looked at for each request");
        later(&keys);
        assert_eq!(known(names), [false, false, true, false, false]);

        fs::write(&path, "# none\n").unwrap();
        later(&keys);
        assert!(keys.contain("third"), "a file without keys locks nobody out");
        fs::remove_file(&path).unwrap();
        later(&keys);
        assert!(keys.contain("third"));
    }

    #[test]
    fn a_file_without_keys_is_no_protection() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(Keys::open("api_keys", &path).is_err());
        fs::write(&path, "\n# nothing\n").unwrap();
        assert!(Keys::open("api_keys", &path).err().unwrap().to_string().contains("api_keys"));
    }
}
