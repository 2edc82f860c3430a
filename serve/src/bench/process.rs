//! A server in a process of its own, which ends when it is dropped, or when this process ends, however that happens.

use crate::Error;
use std::ffi::OsStr;
use std::fs;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// A server that is not ready by then has failed.
const START_TIMEOUT: Duration = Duration::from_secs(180);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// Lines of the log that an error shows.
const LOG_LINES: usize = 5;

/// Becomes the program. Its watcher waits for the end of the standard input, which comes when whoever started it is gone, then
/// ends the whole process group, gently at first.
#[cfg(unix)]
const KEEPER: &str = r#"exec 3<&0
(trap '' TERM INT; read -r _ <&3; kill -TERM -$$; sleep 5; kill -KILL -$$) >/dev/null 2>&1 &
exec "$@" 3<&- </dev/null"#;

/// A server that runs.
pub struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    log: NamedTempFile,
}

impl Process {
    /// Starts a program; `set` adds its arguments and variables.
    ///
    /// # Errors
    /// [`Error::Bench`] when it does not start.
    pub fn start(name: &str, program: &OsStr, set: impl FnOnce(&mut Command)) -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::bench(name, format!("{} does not start: {error}", program.to_string_lossy()))
        };
        let log = NamedTempFile::new().map_err(failed)?;
        // Both append: neither writes over the other.
        let append = || fs::OpenOptions::new().append(true).open(log.path()).map_err(failed);
        let mut command = kept(program);
        set(&mut command);
        command.stdin(Stdio::piped()).stdout(append()?).stderr(append()?);
        let mut child = command.spawn().map_err(failed)?;
        let input = child.stdin.take();
        Ok(Self { name: name.to_owned(), child, input, log })
    }

    /// Waits until `ready`, which gets what the program has written so far, gives something.
    ///
    /// # Errors
    /// [`Error::Bench`] when the program ends or takes too long, with the end of what it wrote.
    pub fn wait_until<T>(&mut self, mut ready: impl FnMut(&str) -> Option<T>) -> Result<T, Error> {
        let start = Instant::now();
        loop {
            let log = String::from_utf8_lossy(&fs::read(self.log.path()).unwrap_or_default()).into_owned();
            if let Some(found) = ready(&log) {
                return Ok(found);
            }
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || start.elapsed() > START_TIMEOUT {
                let what =
                    ended.map_or("it takes too long to start".to_owned(), |status| format!("it ended: {status}"));
                let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
                let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("; ");
                return Err(Error::bench(&self.name, format!("{what}; {last}")));
            }
            sleep(LOOK_INTERVAL);
        }
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.input.take());
        let start = Instant::now();
        while start.elapsed() < STOP_TIMEOUT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(LOOK_INTERVAL);
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
fn kept(program: &OsStr) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "sh"]).arg(program).process_group(0);
    command
}

/// Nothing watches it here: it stays when this process is ended by force.
#[cfg(not(unix))]
fn kept(program: &OsStr) -> Command {
    Command::new(program)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Process, Error> {
        Process::start("the shell", OsStr::new("sh"), |command| {
            command.args(["-c", script]);
        })
    }

    #[test]
    fn it_ends_with_its_children_when_it_is_dropped() {
        let told = NamedTempFile::new().unwrap();
        let script =
            format!("trap 'echo gently >{}; exit' TERM; sleep 600 & echo child $!; wait", told.path().display());
        let mut process = shell(&script).unwrap();
        let child = process.wait_until(|log| log.trim().strip_prefix("child ")?.parse::<u32>().ok()).unwrap();
        let alive = || {
            let status = fs::read_to_string(format!("/proc/{child}/stat"));
            status.is_ok_and(|status| !status.contains(") Z "))
        };
        assert!(alive());
        drop(process);
        assert_eq!(fs::read_to_string(told.path()).unwrap(), "gently\n", "it ends at the first sign");
        let start = Instant::now();
        while alive() && start.elapsed() < 30 * STOP_TIMEOUT {
            sleep(LOOK_INTERVAL);
        }
        assert!(!alive());
    }

    #[test]
    fn what_ends_too_early_says_why() {
        let message =
            shell("echo one; echo two >&2; exit 3").unwrap().wait_until(|_| None::<()>).unwrap_err().to_string();
        for part in ["the shell", "3", "one; two"] {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}
