//! A run that is killed and resumed ends with the very bytes of one that was left alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use selfie_train::{Options, finetune, pretrain};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use toy::{Toy, weights};

const STAGE: &str = "SELFIE_TEST_STAGE";
const RECIPE: &str = "SELFIE_TEST_RECIPE";
const OUT: &str = "SELFIE_TEST_OUT";
const INIT: &str = "SELFIE_TEST_INIT";
/// Longest wait for a process that trains.
const PATIENCE: Duration = Duration::from_secs(120);

/// The process that is killed: this test program again, with this test alone.
#[test]
#[ignore = "it is the child of the other tests"]
fn child() {
    let Ok(stage) = std::env::var(STAGE) else { return };
    let mut options = Options::new(std::env::var(RECIPE).unwrap(), std::env::var(OUT).unwrap());
    options.init = std::env::var_os(INIT).map(PathBuf::from);
    options.set = vec!["steps=60".into()];
    (options.resume, options.quiet) = (true, true);
    match stage.as_str() {
        "pretrain" => pretrain::run(&options).unwrap(),
        _ => finetune::run(&options).unwrap(),
    };
}

fn start(toy: &Toy, stage: &str, out: &Path, init: Option<&Path>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--ignored"]).env(STAGE, stage).env(RECIPE, toy.recipe(stage)).env(OUT, out);
    if let Some(init) = init {
        command.env(INIT, init);
    }
    command.stdout(Stdio::null()).spawn().unwrap()
}

fn newest_checkpoint(run: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(run.join("checkpoints")).ok()?;
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("step-")?.parse().ok()).max()
}

/// Waits until a run has a checkpoint at `step` or later, and kills it.
fn kill_after(mut child: Child, run: &Path, step: u64) {
    let started = Instant::now();
    while newest_checkpoint(run).is_none_or(|newest| newest < step) {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before step {step}");
        assert!(started.elapsed() < PATIENCE, "no checkpoint at step {step} within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    // SIGKILL on Unix.
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(!run.join("weights.safetensors").exists(), "the run was over before it was killed");
}

fn killed_twice_equals_left_alone(toy: &Toy, stage: &str, init: Option<&Path>) -> PathBuf {
    let (alone, killed) = (toy.path(&format!("{stage}-alone")), toy.path(&format!("{stage}-killed")));
    assert!(start(toy, stage, &alone, init).wait().unwrap().success());
    for step in [3, 24] {
        kill_after(start(toy, stage, &killed, init), &killed, step);
    }
    assert!(start(toy, stage, &killed, init).wait().unwrap().success());
    assert!(weights(&alone) == weights(&killed), "{stage}: the weights differ");
    for file in ["network.json", "labels.json"] {
        assert_eq!(std::fs::read(alone.join(file)).ok(), std::fs::read(killed.join(file)).ok(), "{stage}: {file}");
    }
    let numbers = |run: &Path| {
        let lines = selfie_train::run::metrics::read(&run.join("metrics.jsonl")).unwrap();
        let number = |line: &selfie_train::run::metrics::Line| (line.step, line.split, line.values["loss"].to_bits());
        lines.iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&alone), numbers(&killed), "{stage}: the metrics differ");
    alone
}

#[test]
fn killed_runs_resume_bit_by_bit() {
    let toy = Toy::new();
    let pretrained = killed_twice_equals_left_alone(&toy, "pretrain", None);
    killed_twice_equals_left_alone(&toy, "finetune", Some(&pretrained));
}
