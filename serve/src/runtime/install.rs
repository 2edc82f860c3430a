//! `selfie runtime install`: fetches ONNX Runtime's shared library as a Python wheel, pinned and checked.
//!
//! `pip download` fetches it, so that a user's own package index and proxy are honoured; the wheel's SHA-256 must be the
//! pinned one, whoever delivered it.

use super::library::cache_folder;
use super::wheel::{WHEELS, Wheel};
use crate::Error;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fetches the library for this machine into the cache folder and returns its path; does nothing when it is there.
///
/// # Errors
/// [`Error::Install`] when there is no wheel for this machine, the download fails, or the SHA-256 differs.
pub fn install(cuda: bool) -> Result<PathBuf, Error> {
    install_into(&cache_folder(), cuda)
}

/// As [`install`], into the cache folder `cache`.
///
/// # Errors
/// As [`install`].
pub fn install_into(cache: &Path, cuda: bool) -> Result<PathBuf, Error> {
    let Some(wheel) = WHEELS.iter().find(|wheel| wheel.cuda == cuda && wheel.is_for_this_machine()) else {
        let package = if cuda { "onnxruntime-gpu" } else { "onnxruntime" }.to_owned();
        let known: Vec<_> = WHEELS.iter().filter(|wheel| wheel.cuda == cuda).map(|wheel| wheel.arch).collect();
        let reason = format!(
            "no wheel is pinned for this machine, only for Linux (glibc) on {}; \
             get ONNX Runtime yourself and name its library with --onnxruntime",
            known.join(" and ")
        );
        return Err(Error::Install { package, reason });
    };
    let library = wheel.library(cache);
    if !library.is_file() {
        fetch(wheel, cache)?;
    }
    Ok(library)
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}

fn failed(wheel: &Wheel, reason: String) -> Error {
    Error::Install { package: wheel.requirement(), reason }
}

fn fetch(wheel: &Wheel, cache: &Path) -> Result<(), Error> {
    let parent = cache.join("onnxruntime");
    fs::create_dir_all(&parent).map_err(io("create", &parent))?;
    // Beside the final place, so that the rename at the end is atomic.
    let work = tempfile::tempdir_in(&parent).map_err(io("create a folder in", &parent))?;
    let file = download(wheel, work.path())?;
    verify(wheel, &file)?;
    let unpacked = work.path().join("unpacked");
    python(wheel, &["-m", "zipfile", "-e", &file.to_string_lossy(), &unpacked.to_string_lossy()])?;
    let kept = keep(&unpacked, work.path())?;
    let folder = wheel.folder(cache);
    match fs::rename(&kept, &folder) {
        Ok(()) => Ok(()),
        // Another process was faster and installed the same.
        Err(_) if wheel.library(cache).is_file() => Ok(()),
        Err(source) => Err(Error::Io { action: "move the library to", path: folder, source }),
    }
}

/// Moves the libraries and the notices that go with them into a folder of their own.
fn keep(unpacked: &Path, work: &Path) -> Result<PathBuf, Error> {
    let capi = unpacked.join("onnxruntime").join("capi");
    let kept = work.join("kept");
    fs::create_dir(&kept).map_err(io("create", &kept))?;
    for item in fs::read_dir(&capi).map_err(io("read", &capi))? {
        let item = item.map_err(io("read", &capi))?;
        if item.file_name().to_string_lossy().starts_with("libonnxruntime") {
            let target = kept.join(item.file_name());
            fs::rename(item.path(), &target).map_err(io("move a library to", &target))?;
        }
    }
    for notice in ["LICENSE", "ThirdPartyNotices.txt", "Privacy.md"] {
        let target = kept.join(notice);
        fs::rename(unpacked.join("onnxruntime").join(notice), &target).map_err(io("move a notice to", &target))?;
    }
    Ok(kept)
}

fn download(wheel: &Wheel, folder: &Path) -> Result<PathBuf, Error> {
    let wheels = folder.join("wheel");
    let requirement = wheel.requirement();
    let target = wheels.to_string_lossy();
    python(
        wheel,
        &[
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--implementation",
            "cp",
            "--python-version",
            wheel.python,
            "--platform",
            wheel.platform,
            "--dest",
            &target,
            &requirement,
        ],
    )?;
    let mut found = fs::read_dir(&wheels).map_err(io("read", &wheels))?;
    match found.next() {
        Some(Ok(item)) => Ok(item.path()),
        _ => Err(failed(wheel, "pip reported success but left no wheel".into())),
    }
}

fn verify(wheel: &Wheel, file: &Path) -> Result<(), Error> {
    let found = sha256(file).map_err(io("read", file))?;
    if found == wheel.sha256 {
        return Ok(());
    }
    let reason = format!("SHA-256 of the wheel is {found}, expected {}; nothing was installed", wheel.sha256);
    Err(failed(wheel, reason))
}

fn sha256(file: &Path) -> std::io::Result<String> {
    let mut reader = BufReader::new(fs::File::open(file)?);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..read]);
    }
}

fn python(wheel: &Wheel, arguments: &[&str]) -> Result<(), Error> {
    let output = Command::new("python3").args(arguments).output().map_err(|error| {
        failed(
            wheel,
            format!("python3 cannot be started ({error}); install Python 3 with pip, which fetches the wheel"),
        )
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(wheel, format!("python3 {} failed: {}", arguments[..3].join(" "), said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_with_another_hash_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(file.path()).unwrap(), abc);
        assert!(verify(&Wheel { sha256: abc, ..WHEELS[0] }, file.path()).is_ok());
        let message = verify(&WHEELS[0], file.path()).unwrap_err().to_string();
        assert!(message.contains(abc) && message.contains("nothing was installed"), "{message}");
    }
}
