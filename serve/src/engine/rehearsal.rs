//! Loading a version in a process of its own first. A file that no runtime can bear, because it asks for more memory than there is or never
//! comes to an end, ends that process and not the server.

use crate::Error;
use crate::config::Config;
use crate::runtime::{Candidate, Choice, Options, refused};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often it is looked whether the process has ended.
const LOOK: Duration = Duration::from_millis(2);
/// Most bytes that are kept of what the process says.
const SAID: u64 = 4096;

/// Who rehearses, and how long it may take.
pub struct Rehearsal {
    program: PathBuf,
    limit: Duration,
    onnxruntime: Option<PathBuf>,
}

impl Rehearsal {
    /// As the options say; none without a program or a limit.
    pub fn new(config: &Config) -> Option<Self> {
        let program = config.rehearsal.clone()?;
        let limit = Some(config.load_timeout_ms).filter(|ms| *ms > 0).map(Duration::from_millis)?;
        Some(Self { program, limit, onnxruntime: config.onnxruntime.clone() })
    }

    /// The candidates that bear the model. A reason to refuse it is no reason here: what is loaded next says it better.
    ///
    /// # Errors
    /// None of them bears it.
    pub fn survivors(&self, path: &Path, candidates: &[Candidate]) -> Result<Vec<Candidate>, Error> {
        let (mut survivors, mut refusals) = (Vec::new(), Vec::new());
        for candidate in candidates {
            match self.rehearse(path, candidate) {
                Ok(()) => survivors.push(candidate.clone()),
                Err(reason) => {
                    let error = Error::Load { path: path.to_owned(), runtime: candidate.choice.runtime, reason };
                    tracing::warn!("{error}");
                    refusals.push(error);
                }
            }
        }
        if survivors.is_empty() { Err(refused(refusals)) } else { Ok(survivors) }
    }

    fn rehearse(&self, path: &Path, Candidate { choice, .. }: &Candidate) -> Result<(), String> {
        // A GPU holds no second copy of a large model, and TensorRT takes minutes for it.
        if !choice.device.is_processor() {
            return Ok(());
        }
        match self.outcome(path, choice) {
            Ok((Some(status), _)) if status.code().is_some() => Ok(()),
            Ok((Some(status), said)) => {
                let first = said.lines().find(|line| !line.is_empty()).map(|line| format!(": {line}"));
                Err(format!("it ends the process that loads it, {status}{}", first.unwrap_or_default()))
            }
            Ok((None, _)) => Err(format!("it is not loaded after {} ms, --load-timeout-ms", self.limit.as_millis())),
            // That is no fault of the model.
            Err(error) => {
                tracing::warn!("{}: no process can try it first: {error}", path.display());
                Ok(())
            }
        }
    }

    /// How the process ended, or nothing when it had to be killed, and what it said.
    fn outcome(&self, path: &Path, choice: &Choice) -> std::io::Result<(Option<ExitStatus>, String)> {
        let mut command = Command::new(&self.program);
        command.arg("rehearse").arg(path).args(["--runtime", choice.runtime, "--device", &choice.device.to_string()]);
        if let Some(library) = &self.onnxruntime {
            command.arg("--onnxruntime").arg(library);
        }
        // What it says first shall be why it ended.
        command.env("RUST_BACKTRACE", "0").env("SELFIE_LOG", "error");
        // It ends with us: its input does.
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let said = child.stderr.take().map(|said| std::thread::spawn(|| beginning(said)));
        let status = ended(&mut child, self.limit)?;
        let said = said.and_then(|said| said.join().ok()).unwrap_or_default();
        Ok((status, String::from_utf8_lossy(&said).into_owned()))
    }
}

/// The first [`SAID`] bytes. The rest is read as well: who says it must not wait for that.
fn beginning(mut said: impl Read) -> Vec<u8> {
    let mut text = Vec::new();
    // What cannot be read is as good as not said.
    let _ = said.by_ref().take(SAID).read_to_end(&mut text);
    let _ = std::io::copy(&mut said, &mut std::io::sink());
    text
}

/// How a process ended, or nothing when it had to be killed.
fn ended(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// What the process does that rehearses: loads the model and runs its golden samples. It ends when its input does.
///
/// # Errors
/// The model is refused.
pub fn rehearse(path: &Path, options: Options) -> Result<(), Error> {
    std::thread::spawn(|| {
        let _end = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    // Where the memory is too short for both, this process goes. Systems without such a choice have no such file.
    let _chosen = std::fs::write("/proc/self/oom_score_adj", "1000");
    let runtime = Options { threads: 1, ..options };
    crate::model::open(path, &crate::model::OpenOptions { runtime, ..Default::default() }).map(drop)
}
