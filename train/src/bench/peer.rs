//! PyTorch in a process of its own, which makes a step when it is asked for one.

use super::{Place, Subject};
use crate::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const SCRIPT: &str = include_str!("torch_steps.py");

/// A Python with PyTorch that waits.
pub struct Peer {
    python: PathBuf,
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it with as many threads as this process may use.
    ///
    /// # Errors
    /// [`Error::Peer`] when it does not start.
    pub fn start(python: &Path, place: &Place) -> Result<Self, Error> {
        let failed = |reason: String| Error::Peer { python: python.to_owned(), reason };
        let threads = rayon::current_num_threads().to_string();
        let mut command = Command::new(python);
        // The allocator's settings are those of our trainings; PyTorch runs as it does for everybody.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"MALLOC_")) {
            command.env_remove(name);
        }
        let mut process = command
            .args(["-u", "-c", SCRIPT, &threads, &place.torch_device(), place.precision.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("it does not start: {error}")))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(failed("it has no standard input and output".into()));
        };
        Ok(Self { python: python.to_owned(), process, input, output: BufReader::new(output) })
    }

    /// Seconds of a step.
    ///
    /// # Errors
    /// [`Error::Peer`] when it answers with anything else.
    pub fn step(&mut self, subject: &Subject) -> Result<f64, Error> {
        let failed = |reason: String| Error::Peer { python: self.python.clone(), reason };
        let mut line = String::new();
        let depths: Vec<String> = subject.depths.iter().map(ToString::to_string).collect();
        writeln!(self.input, "{} {} {}", subject.images, subject.side, depths.join(","))
            .and_then(|()| self.output.read_line(&mut line))
            .map_err(|error| failed(error.to_string()))?;
        line.trim().parse().map_err(|_| {
            failed(format!("it answered \"{}\" instead of seconds; is torch installed there?", line.trim()))
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
