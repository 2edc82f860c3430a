//! A run that is killed, told to stop, or out of room goes on where it was, and ends with the very bytes of one that was left
//! alone.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod toy;

use selfie_train::run::metrics::Line;
use selfie_train::{Error, Options, finetune, pretrain};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use toy::{Toy, weights};

const STAGE: &str = "SELFIE_TEST_STAGE";
const RECIPE: &str = "SELFIE_TEST_RECIPE";
const OUT: &str = "SELFIE_TEST_OUT";
const INIT: &str = "SELFIE_TEST_INIT";
const DEVICE: &str = "SELFIE_TEST_DEVICE";
/// Settings, one a line.
const SET: &str = "SELFIE_TEST_SET";
/// Every option that keeps something from step to step, or draws at random.
const ALL_OPTIONS: &[&str] = &[
    "steps=40",
    "augment.resized_crop.probability=0.5",
    "augment.rand_augment.operations=1",
    "augment.random_erasing.probability=0.3",
    "label_smoothing=0.1",
    "accumulate=2",
    "ema_decay=0.9",
    "layer_decay=0.8",
    "norm_batches=3",
    "patience=50",
    "validation_fraction=0.2",
    "evaluate_every=12",
    "keep_every=12",
];
/// Longest wait for a process that trains: far beyond what a slow and busy machine takes.
const PATIENCE: Duration = Duration::from_secs(600);
/// Runs that are started over because one was over before it was interrupted: then the machine was slow at the wrong moment.
const TRIES: usize = 10;

/// The process that is killed: this test program again, with this test alone.
#[test]
#[ignore = "it is the child of the other tests"]
fn child() {
    let Ok(stage) = std::env::var(STAGE) else { return };
    let mut options = Options::new(std::env::var(RECIPE).unwrap(), std::env::var(OUT).unwrap());
    options.init = std::env::var_os(INIT).map(PathBuf::from);
    options.device = std::env::var(DEVICE).unwrap();
    options.set = std::env::var(SET).unwrap_or_default().lines().map(str::to_owned).collect();
    (options.resume, options.quiet) = (true, true);
    let result = match stage.as_str() {
        "pretrain" => pretrain::run(&options),
        _ => finetune::run(&options),
    };
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(match error {
            Error::Interrupted { signal, .. } => 128 + signal,
            _ => 1,
        });
    }
}

/// A run that is started again and again until it is done.
struct Run<'a> {
    toy: &'a Toy,
    stage: &'a str,
    out: PathBuf,
    init: Option<&'a Path>,
    set: Vec<&'a str>,
    device: &'a str,
}

impl<'a> Run<'a> {
    /// A pretraining on the CPU device in a folder of this name.
    fn pretraining(toy: &'a Toy, name: &str, set: &[&'a str]) -> Self {
        Self { toy, stage: "pretrain", out: toy.path(name), init: None, set: set.to_vec(), device: "cpu" }
    }

    fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        command.env(STAGE, self.stage).env(RECIPE, self.toy.recipe(self.stage)).env(OUT, &self.out);
        command.env(SET, self.set.join("\n")).env(DEVICE, self.device).stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(init) = self.init {
            command.env(INIT, init);
        }
        command
    }

    fn start(&self) -> Child {
        let mut command = self.command(std::env::current_exe().unwrap().as_os_str());
        // Without the harness's capture, which would keep standard error.
        command.args(["child", "--exact", "--ignored", "--nocapture"]).spawn().unwrap()
    }

    fn newest_checkpoint(&self) -> Option<u64> {
        let entries = std::fs::read_dir(self.out.join("checkpoints")).ok()?;
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("step-")?.parse().ok()).max()
    }

    /// Starts and waits until there is a checkpoint at `step` or later, or the run is over.
    fn start_until(&self, step: u64) -> Child {
        let mut child = self.start();
        let started = Instant::now();
        while self.newest_checkpoint().is_none_or(|newest| newest < step) {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "the run failed before step {step}: {}", said(child));
                break;
            }
            assert!(started.elapsed() < PATIENCE, "no checkpoint at step {step} within {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    }

    /// Ends a process as a power cut does; false when the run was over before.
    fn kill(&self, mut child: Child) -> bool {
        // SIGKILL on Unix.
        child.kill().unwrap();
        !child.wait().unwrap().success() && !self.out.join("weights.safetensors").exists()
    }

    fn complete(&self) {
        let output = self.start().wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The numbers of every line of metrics that do not depend on the clock.
    fn numbers(&self) -> Vec<(u64, String, u64, u64)> {
        let lines = selfie_train::run::metrics::read(&self.out.join("metrics.jsonl")).unwrap();
        let bits = |line: &Line, name: &str| line.values.get(name).map_or(0, |value| value.to_bits());
        lines
            .iter()
            .map(|line| (line.step, line.split.to_string(), bits(line, "loss"), bits(line, "ema_loss")))
            .collect()
    }
}

/// The first of some runs that is interrupted as it should be; none when all were over before.
fn interrupted<'a>(run: impl Fn(&str) -> Run<'a>, interrupt: impl Fn(&Run<'a>) -> bool) -> Run<'a> {
    let mut runs = (0..TRIES).map(|number| run(&format!("interrupted-{number}")));
    runs.find(interrupt).expect("every run was over before it was interrupted")
}

fn said(child: Child) -> String {
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr).into_owned()
}

/// Fails unless two runs left the same bytes.
fn assert_equal(alone: &Run<'_>, other: &Run<'_>) {
    for file in ["weights.safetensors", "ema/weights.safetensors", "network.json", "labels.json"] {
        let bytes = |run: &Run<'_>| std::fs::read(run.out.join(file)).ok();
        assert!(bytes(alone) == bytes(other), "{}: {file} differs", alone.out.display());
    }
    assert_eq!(alone.numbers(), other.numbers(), "{}: the metrics differ", alone.out.display());
}

fn killed_twice_equals_left_alone(toy: &Toy, stage: &str, init: Option<&Path>, set: &[&str]) -> PathBuf {
    killed_twice_equals_left_alone_on("cpu", toy, stage, init, set)
}

fn killed_twice_equals_left_alone_on(
    device: &str,
    toy: &Toy,
    stage: &str,
    init: Option<&Path>,
    set: &[&str],
) -> PathBuf {
    let run = |name: &str| Run {
        toy,
        stage,
        out: toy.path(&format!("{stage}-{}-{name}", set.len())),
        init,
        set: set.to_vec(),
        device,
    };
    let alone = run("alone");
    alone.complete();
    let killed = interrupted(run, |run| [3, 24].into_iter().all(|step| run.kill(run.start_until(step))));
    killed.complete();
    assert_equal(&alone, &killed);
    alone.out
}

#[test]
fn killed_runs_resume_bit_by_bit() {
    let toy = Toy::new();
    let pretrained = killed_twice_equals_left_alone(&toy, "pretrain", None, &["steps=60"]);
    killed_twice_equals_left_alone(&toy, "finetune", Some(&pretrained), &["steps=60"]);
}

#[test]
fn killed_runs_with_every_option_resume_bit_by_bit() {
    let toy = Toy::new();
    let pretrained = killed_twice_equals_left_alone(&toy, "pretrain", None, ALL_OPTIONS);
    let set = [ALL_OPTIONS, &["augment.mixup=0.4", "augment.cutmix=1.0", "freeze=[\"resnet.conv1\"]"]].concat();
    let run = killed_twice_equals_left_alone(&toy, "finetune", Some(&pretrained), &set);
    assert!(weights(&run) != weights(&run.join("ema")), "the average is the last step");
    let kept = |step: u64| run.join(format!("checkpoints/step-{step:08}")).exists();
    assert_eq!([12, 24, 36, 39, 40].map(kept), [true; 5]);
    assert_eq!([15, 33].map(kept), [false; 2]);
}

#[test]
fn killed_runs_on_two_devices_in_bfloat16_resume_bit_by_bit() {
    let toy = Toy::new();
    let set = [ALL_OPTIONS, &["precision=bf16"]].concat();
    killed_twice_equals_left_alone_on("cpu,cpu", &toy, "pretrain", None, &set);
}

/// The steps at which a run is killed depend on the process number, so that every test run has others.
#[test]
fn a_run_that_is_killed_at_ten_random_steps_ends_with_the_same_bytes() {
    let toy = Toy::new();
    let set = vec!["steps=120", "warmup_steps=3", "ema_decay=0.9", "checkpoint_every=2"];
    let run = |name: &str| Run::pretraining(&toy, name, &set);
    let alone = run("alone");
    alone.complete();
    let killed = interrupted(run, |run| {
        let mut random = u64::from(std::process::id());
        (0..10).all(|kill| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let child = run.start_until(8 * kill + 2);
            // Somewhere in the steps after the checkpoint, or in the midst of writing the next one.
            std::thread::sleep(Duration::from_micros(random >> 50));
            run.kill(child)
        })
    });
    killed.complete();
    assert_equal(&alone, &killed);
}

#[test]
fn a_signal_ends_a_run_with_a_checkpoint_at_its_step_and_it_goes_on_bit_by_bit() {
    let toy = Toy::new();
    let set = vec!["steps=60", "checkpoint_every=9"];
    let run = |name: &str| Run::pretraining(&toy, name, &set);
    let alone = run("alone");
    alone.complete();
    let stopped = interrupted(run, |run| [("TERM", 15), ("INT", 2)].into_iter().all(|sign| stop(run, sign)));
    stopped.complete();
    assert_equal(&alone, &stopped);
}

/// Stops a run of 60 steps by a signal after another checkpoint; false when it was over before.
fn stop(run: &Run<'_>, (name, signal): (&str, i32)) -> bool {
    let mut child = run.start_until(run.newest_checkpoint().unwrap_or(0) + 1);
    if child.try_wait().unwrap().is_some() {
        return false;
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let step = run.newest_checkpoint().unwrap();
    // Behind its last step a run is as any process to a signal.
    if step == 60 && output.status.code() != Some(128 + signal) {
        return false;
    }
    assert_eq!(output.status.code(), Some(128 + signal), "{:?}", output.status);
    let text = String::from_utf8_lossy(&output.stderr);
    let parts = [format!("SIG{name} after step {step} of 60"), "--resume".into(), run.out.display().to_string()];
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    true
}

#[test]
fn a_second_run_in_the_same_folder_is_refused_and_leaves_the_first_one_alone() {
    let toy = Toy::new();
    let set = vec!["steps=20000", "checkpoint_every=3"];
    let run = Run::pretraining(&toy, "shared", &set);
    let mut first = run.start_until(3);
    let second = run.start().wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{text}");
    assert!(text.contains("another process is training in it"), "{text}");
    assert!(first.try_wait().unwrap().is_none(), "the first run has ended");
    let before = run.newest_checkpoint().unwrap();
    let started = Instant::now();
    while run.newest_checkpoint().unwrap() <= before {
        assert!(started.elapsed() < PATIENCE, "the first run has stopped");
        std::thread::sleep(Duration::from_millis(2));
    }
    run.kill(first);
}

/// A limit on the size of files stands for a full disk: both refuse to write the rest of a file.
#[test]
fn a_full_disk_stops_a_run_with_the_step_and_it_goes_on_when_there_is_room() {
    let toy = Toy::new();
    let set = vec!["steps=60"];
    let run = |name: &str| Run::pretraining(&toy, name, &set);
    let alone = run("alone");
    alone.complete();
    // There must be another checkpoint to write.
    let early = |run: &Run<'_>| run.newest_checkpoint().is_some_and(|newest| newest < 54);
    let full = interrupted(run, |run| run.kill(run.start_until(3)) && early(run));
    let before = full.newest_checkpoint().unwrap();
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" child --exact --ignored --nocapture";
    let mut command = full.command(OsStr::new("sh"));
    let output = command.args(["-c", script]).arg(std::env::current_exe().unwrap()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let last = format!("step-{before:08}");
    let parts = [format!("step {}: ", before + 3), "weights.safetensors".into(), last, "make room".into()];
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(full.newest_checkpoint(), Some(before));
    let left: Vec<_> =
        std::fs::read_dir(full.out.join("checkpoints")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_str().unwrap().starts_with("step-")), "{left:?}");
    full.complete();
    assert_equal(&alone, &full);
}
