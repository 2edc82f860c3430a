//! Environment variables that libraries read before `main`: the process sets them by starting itself again.
//!
//! - `ORT_DISABLE_TELEMETRY=1`: official builds of ONNX Runtime send usage data from 1.29 on. Its API call comes after a
//!   first event may have left; the variable does not.
//! - `MALLOC_…` for training, which allocates and frees the same large tensors every step. The C library's allocator gives each
//!   back to the system and fetches it again, page by page, which costs a quarter of the time; these settings make it keep them.
//! - `MALLOC_ARENA_MAX` for serving: the allocator has eight arenas a processor, and every version that comes may leave holes in another
//!   one, see `docs/soak.md`. One a processor is enough.

use std::ffi::OsString;
use std::num::NonZero;
use std::thread::available_parallelism;

const ALWAYS: &[(&str, &str)] = &[("ORT_DISABLE_TELEMETRY", "1")];

const TRAINING: &[(&str, &str)] =
    &[("MALLOC_MMAP_MAX_", "0"), ("MALLOC_TRIM_THRESHOLD_", "17179869184"), ("MALLOC_TOP_PAD_", "67108864")];

const SERVING: &str = "MALLOC_ARENA_MAX";

const TRAINING_COMMANDS: &[&[&str]] =
    &[&["quickstart"], &["pretrain"], &["finetune"], &["evaluate"], &["bench", "train"]];

/// Starts the process again with the variables that are missing. A variable that is set stays as it is. Where a process
/// cannot replace itself, it goes on without them.
#[cfg(unix)]
pub fn settle() {
    use std::os::unix::process::CommandExt;
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let typed = |words: &[&str]| arguments.iter().skip(1).take(words.len()).eq(words);
    let training = TRAINING_COMMANDS.iter().any(|words| typed(words));
    let fixed = ALWAYS.iter().chain(if training { TRAINING } else { &[] });
    let mut missing: Vec<_> = fixed.map(|(name, value)| (*name, (*value).to_owned())).collect();
    if typed(&["serve"]) {
        missing.push((SERVING, available_parallelism().map_or(1, NonZero::get).to_string()));
    }
    missing.retain(|(name, _)| std::env::var_os(name).is_none());
    if missing.is_empty() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = std::process::Command::new(program);
    let error = command.args(&arguments[1..]).envs(missing.iter().map(|(name, value)| (name, value))).exec();
    let assignments: Vec<String> = missing.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // The log has not started yet.
    eprintln!(
        "warning: the process cannot start again with {}: {error}; set them before it starts",
        assignments.join(" ")
    );
}

/// Does nothing: the process cannot replace itself here.
#[cfg(not(unix))]
pub fn settle() {}
