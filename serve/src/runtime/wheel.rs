//! The Python wheels that hold ONNX Runtime's shared library, pinned by version and SHA-256.

use std::path::{Path, PathBuf};

/// One wheel that holds the library.
#[derive(Clone, Copy, Debug)]
pub struct Wheel {
    /// Name of the package.
    pub package: &'static str,
    /// Version of the package and the library.
    pub version: &'static str,
    /// Whether the library can use CUDA.
    pub cuda: bool,
    /// Processor, as `std::env::consts::ARCH` names it.
    pub arch: &'static str,
    /// Python version of the wheel. The library does not depend on it; it makes the download the same everywhere.
    pub python: &'static str,
    /// Platform tag of the wheel.
    pub platform: &'static str,
    /// SHA-256 of the wheel.
    pub sha256: &'static str,
}

/// Every wheel that is pinned. All are for Linux with glibc 2.28 or newer.
pub const WHEELS: &[Wheel] = &[
    Wheel {
        package: "onnxruntime",
        version: "1.32.0",
        cuda: false,
        arch: "x86_64",
        python: "3.12",
        platform: "manylinux_2_28_x86_64",
        sha256: "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
    },
    Wheel {
        package: "onnxruntime",
        version: "1.32.0",
        cuda: false,
        arch: "aarch64",
        python: "3.12",
        platform: "manylinux_2_28_aarch64",
        sha256: "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
    },
    Wheel {
        package: "onnxruntime-gpu",
        version: "1.31.1",
        cuda: true,
        arch: "x86_64",
        python: "3.13",
        platform: "manylinux_2_28_x86_64",
        sha256: "f659529e07c21ec6b6179fd1bfaf82ffb7c3dc9c0916e18f6f313f9a690891be",
    },
];

impl Wheel {
    /// Whether the wheel's library runs on this machine's system and processor.
    pub fn is_for_this_machine(&self) -> bool {
        cfg!(all(target_os = "linux", target_env = "gnu")) && self.arch == std::env::consts::ARCH
    }

    /// Path of the library once it is installed under `cache`.
    pub fn library(&self, cache: &Path) -> PathBuf {
        self.folder(cache).join(format!("libonnxruntime.so.{}", self.version))
    }

    /// The folder of the library once it is installed under `cache`.
    pub fn folder(&self, cache: &Path) -> PathBuf {
        let suffix = if self.cuda { "-cuda" } else { "" };
        cache.join("onnxruntime").join(format!("{}{suffix}", self.version))
    }

    /// The package with its version, as pip wants it.
    pub fn requirement(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_one_wheel_of_a_kind_and_every_pin_is_a_hash() {
        for (index, wheel) in WHEELS.iter().enumerate() {
            assert!(wheel.sha256.len() == 64 && wheel.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()), "{wheel:?}");
            let same = |other: &&Wheel| (other.cuda, other.arch) == (wheel.cuda, wheel.arch);
            assert_eq!(WHEELS.iter().position(|other| same(&other)), Some(index), "{wheel:?} is there twice");
        }
    }
}
