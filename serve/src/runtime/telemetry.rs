//! Keeping ONNX Runtime quiet.
//!
//! Official builds of ONNX Runtime from 1.29 on send usage data unless they are told not to. Two switches exist: an API
//! call, which comes after a first event may have left, and the environment variable [`VARIABLE`], which must be there
//! before the library starts. Both are used: the API call always, the variable by a restart of the process, because
//! changing the environment of a running process is unsafe.

use std::env;

/// The environment variable that keeps the uploader from being created.
pub const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";

/// Whether the variable is set to `1`.
pub fn is_disabled() -> bool {
    env::var_os(VARIABLE).is_some_and(|value| value == "1")
}

/// Replaces the process by itself with [`VARIABLE`] set, unless it is set already. A binary calls it first in `main`.
///
/// Returns only when there is nothing to do or the restart failed; then the error is returned, and the API call alone
/// must do.
///
/// # Errors
/// What the system said to the restart.
#[cfg(unix)]
pub fn disable_by_restart() -> std::io::Result<()> {
    use std::os::unix::process::CommandExt;
    if is_disabled() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_default();
    Err(std::process::Command::new(env::current_exe()?).arg0(name).args(arguments).env(VARIABLE, "1").exec())
}

/// Does nothing on this system, where a process cannot replace itself.
///
/// # Errors
/// Always: the variable must be set from outside.
#[cfg(not(unix))]
pub fn disable_by_restart() -> std::io::Result<()> {
    if is_disabled() {
        return Ok(());
    }
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, format!("set {VARIABLE}=1 in the environment")))
}
