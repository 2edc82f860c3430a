//! A data set out of its Debian package: `apt-get download`, `dpkg-deb -x`, checksums, then a rename into the cache.

use super::idx_set::{IdxSet, Pins, locate};
use super::roots::Roots;
use super::{DataError, Source};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Debian package that holds a data set in IDX files.
pub(crate) struct Package {
    pub name: &'static str,
    /// The folder of the files inside the package.
    pub folder: &'static str,
    /// The licence text inside the package.
    pub copyright: &'static str,
    pub pins: &'static Pins,
    /// The way without `apt-get`.
    pub manual: &'static str,
}

/// Brings a data set into the cache folder and returns where it lies; `progress` gets one line a stage.
/// # Errors
/// The data set cannot be fetched, a program is missing or fails, or the files are not those that are expected.
pub fn fetch(name: &str, progress: &dyn Fn(&str)) -> Result<PathBuf, DataError> {
    let (source, _) = Source::find(name)?;
    let roots = Roots::from_environment();
    let Some(fetch) = source.fetch else {
        let how = format!("it is {}", (source.place)(&roots));
        return Err(DataError::NotFetchable { name: name.to_owned(), how });
    };
    fetch(&roots, progress)
}

pub(crate) fn package(
    package: &Package,
    name: &str,
    cache: &Path,
    progress: &dyn Fn(&str),
) -> Result<PathBuf, DataError> {
    // Inside the cache, so that the last step is a rename on one file system.
    fs::create_dir_all(cache).map_err(DataError::io("create", cache))?;
    let work = tempfile::tempdir_in(cache).map_err(DataError::io("create a folder in", cache))?;
    progress(&format!("downloading the Debian package {}", package.name));
    let options = ["-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30"];
    run(package, "apt-get", &[&options[..], &["download", package.name]].concat(), work.path())?;
    let archive = archive(package, work.path())?;
    progress("unpacking");
    run(package, "dpkg-deb", &["-x", &archive, "unpacked"], work.path())?;
    progress("checking the SHA-256 of the four files");
    install(package, &work.path().join("unpacked"), &cache.join(name))
}

fn archive(package: &Package, folder: &Path) -> Result<String, DataError> {
    let entries = fs::read_dir(folder).map_err(DataError::io("read", folder))?;
    let mut names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.find(|name| name.ends_with(".deb")).ok_or_else(|| DataError::Missing {
        name: package.name.to_owned(),
        searched: vec![format!("{}: no .deb file after apt-get download", folder.display())],
        how: package.manual.to_owned(),
    })
}

fn run(package: &Package, program: &str, arguments: &[&str], folder: &Path) -> Result<(), DataError> {
    let how = || package.manual.to_owned();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| DataError::Program { program: program.to_owned(), how: how(), source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(DataError::ProgramFailed {
        command: format!("{program} {}", arguments.join(" ")),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        how: how(),
    })
}

/// Checks an unpacked package and puts its files in place of whatever is at `target`.
fn install(package: &Package, unpacked: &Path, target: &Path) -> Result<PathBuf, DataError> {
    let folder = unpacked.join(package.folder);
    let files = locate(&folder).map_err(|lack| DataError::Missing {
        name: package.name.to_owned(),
        searched: vec![lack],
        how: package.manual.to_owned(),
    })?;
    IdxSet::read_files(&files, Some(package.pins))?;
    let copyright = folder.join("copyright");
    fs::copy(unpacked.join(package.copyright), &copyright).map_err(DataError::io("write", &copyright))?;
    if target.exists() {
        let old = unpacked.join("old");
        fs::rename(target, &old).map_err(DataError::io("move away", target))?;
    }
    fs::rename(&folder, target).map_err(DataError::io("move the files to", target))?;
    Ok(target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Reading;
    use crate::data::contents::sha256;
    use crate::data::idx::{Images, encode_labels};
    use crate::data::idx_set::FILES;

    fn files() -> [Vec<u8>; 4] {
        let images = |count: usize| Images { count, rows: 1, columns: 2, pixels: vec![1; 2 * count] }.encode();
        [images(3), encode_labels(&[0, 1, 2]), images(1), encode_labels(&[1])]
    }

    fn sample_package() -> Package {
        let pins = Box::leak(Box::new(files().map(|file| &*sha256(&file).leak())));
        Package { name: "some-package", folder: "share/data", copyright: "doc/copyright", pins, manual: "by hand" }
    }

    fn unpacked(root: &Path, files: [Vec<u8>; 4]) {
        fs::create_dir_all(root.join("share/data")).unwrap();
        fs::create_dir_all(root.join("doc")).unwrap();
        fs::write(root.join("doc/copyright"), "MIT").unwrap();
        for (name, content) in FILES.iter().zip(files) {
            fs::write(root.join("share/data").join(name), content).unwrap();
        }
    }

    #[test]
    fn intact_files_replace_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("cache-entry");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("half-written"), "x").unwrap();
        unpacked(&root.path().join("work"), files());
        assert_eq!(install(&sample_package(), &root.path().join("work"), &target).unwrap(), target);
        assert!(!target.join("half-written").exists());
        assert_eq!(fs::read_to_string(target.join("copyright")).unwrap(), "MIT");
        assert!(locate(&target).is_ok());
    }

    #[test]
    fn damaged_files_leave_the_cache_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("cache-entry");
        let mut damaged = files();
        damaged[2][17] ^= 1;
        unpacked(&root.path().join("work"), damaged);
        let error = install(&sample_package(), &root.path().join("work"), &target);
        assert!(matches!(&error, Err(DataError::Damaged { file, .. }) if file.ends_with(FILES[2])), "{error:?}");
        assert!(!target.exists());
        fs::remove_file(root.path().join("work/share/data").join(FILES[3])).unwrap();
        let message = install(&sample_package(), &root.path().join("work"), &target).unwrap_err().to_string();
        assert!(message.contains(FILES[3]) && message.contains("by hand"), "{message}");
    }

    #[test]
    fn missing_and_failing_programs_name_the_way_by_hand() {
        let folder = tempfile::tempdir().unwrap();
        let missing = run(&sample_package(), "a-program-that-is-not-there", &["x"], folder.path());
        assert!(matches!(missing, Err(DataError::Program { .. })), "{missing:?}");
        let failing = run(&sample_package(), "ls", &["no-such-file"], folder.path());
        assert!(matches!(failing, Err(DataError::ProgramFailed { .. })), "{failing:?}");
        for (error, part) in [(missing, "a-program-that-is-not-there"), (failing, "ls no-such-file failed")] {
            let message = error.unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("by hand"), "{message}");
        }
        let none = archive(&sample_package(), folder.path()).unwrap_err().to_string();
        assert!(none.contains("no .deb file"), "{none}");
    }

    #[test]
    fn what_cannot_be_fetched_says_why() {
        for (name, part) in [("fashion-mnist-sample", "it is bundled"), ("idx:x", "what the spec names")] {
            let message = fetch(name, &|_| ()).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    #[ignore = "downloads 31 MB with apt-get; run it with --ignored on Debian"]
    fn the_real_package_is_fetched() {
        let cache = tempfile::tempdir().unwrap();
        let roots = Roots { cache: Some(cache.path().to_owned()), ..Roots::default() };
        let (source, _) = Source::find("fashion-mnist").unwrap();
        let folder = (source.fetch.unwrap())(&roots, &|line| eprintln!("{line}")).unwrap();
        assert_eq!(folder, cache.path().join("fashion-mnist"));
        assert_eq!((source.catalog)("", &roots, &Reading::default()).unwrap().train.len(), 60_000);
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1, "the temporary folder stays behind");
    }
}
