//! A Python that goes through the photographs when it is asked to.

use super::peer;
use crate::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const SCRIPT: &str = include_str!("image_steps.py");

/// A library that decodes and resizes.
#[derive(Debug)]
pub struct Library {
    name: &'static str,
    module: &'static str,
}

/// Every library.
pub const LIBRARIES: &[Library] =
    &[Library { name: "Pillow", module: "PIL" }, Library { name: "OpenCV", module: "cv2" }];

/// A library in a Python that waits.
pub struct Steps {
    /// Name and version.
    pub name: String,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Steps {
    /// Starts it on the photographs of a folder.
    ///
    /// # Errors
    /// [`Error::Bench`] when a package is missing or Python does not start.
    pub fn start(library: &Library, python: &Path, photographs: &Path) -> Result<Self, Error> {
        let Library { name, module } = library;
        let version = format!("import numpy, onnxruntime, {module}; print({module}.__version__)");
        let version = peer::import(name, python, &version)?;
        let failed = |reason: String| Error::bench(*name, format!("{}: {reason}", python.display()));
        let mut process = Command::new(python)
            .args(["-u", "-c", SCRIPT, module])
            .arg(photographs)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(failed("it has no standard input and output".into()));
        };
        Ok(Self { name: format!("{name} {version}"), process, input, output: BufReader::new(output) })
    }

    /// The seconds for all photographs with a model, and the vector of the last one.
    ///
    /// # Errors
    /// [`Error::Bench`] when it answers with anything else.
    pub fn run(&mut self, model: &Path, side: usize) -> Result<(f64, Vec<f32>), Error> {
        let failed = |reason: String| Error::bench(&self.name, reason);
        let mut line = String::new();
        writeln!(self.input, "{side} {}", model.display())
            .and_then(|()| self.output.read_line(&mut line))
            .map_err(|error| failed(error.to_string()))?;
        serde_json::from_str(&line).map_err(|_| failed(format!("it answered \"{}\"", line.trim())))
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
