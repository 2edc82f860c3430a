//! A table of results from outside: stopped, resumed, and the same as one that was left alone.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{KILLS, kill_when, run, selfie, succeed};

/// Longest wait for a process that trains: far beyond what a slow and busy machine takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Two parts of the labels, two seeds, every row, and an axis of which one value is the base.
const RECIPE: &str = "\
name = 'tiny'
data = 'fashion-mnist-sample'
seeds = 2

[set]
steps = 6
warmup_steps = 2
batch_size = 16
checkpoint_every = 2
network.width = 2

[pretrain]
recipe = 'quickstart-pretrain'
set = { network.pooling.width = 16, network.pooling.feed_forward = 16 }

[finetune]
recipe = 'quickstart-finetune'

[[labels]]
part = 0.02
[[labels]]
part = 0.1
rows = ['selfie', 'scratch']
set = { steps = 8 }

[[axis]]
name = 'masked share'
values = [{ name = '1/4' }, { name = '1/2', pretrain = { network.mask_ratio = 0.5 } }]
";

/// One more axis, which trains nothing.
const STATISTICS: &str = "
[[axis]]
name = 'statistics'
values = [{ name = 'old' }, { name = 'new', norm_batches = 2 }]
";

const FILES: [&str; 5] = ["table.md", "table.csv", "table.json", "accuracy.svg", "axis-1.svg"];

fn fill<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["evaluate", "table", "tiny.toml", "--out", out], more].concat()
}

/// Starts a table and kills it when some of its cells are finished; false when all of them were.
fn kill_after_first_cells(folder: &Path, out: &str) -> bool {
    let child = selfie().current_dir(folder).args(fill(out, &[])).spawn().unwrap();
    let finished =
        || std::fs::read_to_string(folder.join(out).join("table.csv")).map_or(0, |text| text.lines().count());
    kill_when(child, || finished() >= 4) && !folder.join(out).join("seed-2/scratch-labels-0.1/cell.json").exists()
}

#[test]
fn a_table_that_was_killed_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("tiny.toml"), RECIPE).unwrap();
    let printed = succeed(path, &fill("alone", &[]));
    let mut outs = (0..KILLS).map(|kill| format!("killed-{kill}"));
    let killed = outs.find(|out| kill_after_first_cells(path, out)).expect("the table ends before it can be killed");
    succeed(path, &fill(&killed, &[]));
    let read = |out: &str, file: &str| std::fs::read_to_string(path.join(out).join(file)).unwrap();
    for file in FILES {
        assert!(read("alone", file) == read(&killed, file), "{file} differs");
    }

    let markdown = read("alone", "table.md");
    assert!(printed.starts_with(&markdown), "{printed}");
    let cells = |heading: &str| -> Vec<String> {
        let line = markdown.lines().find(|line| line.starts_with(&format!("| {heading} |"))).unwrap();
        line.split('|').skip(2).map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
    };
    let is_statistic = |cell: &String| {
        let numbers = cell.split_once(" ± ").map(|(mean, std)| (mean.parse::<f64>(), std.parse::<f64>()));
        matches!(numbers, Some((Ok(mean), Ok(std))) if (-100.0..=100.0).contains(&mean) && std >= 0.0)
    };
    for heading in ["fine-tuned from Selfie", "from scratch, same steps", "**gain of Selfie over scratch**", "1/2"] {
        assert!(cells(heading).iter().filter(|cell| *cell != "–").all(is_statistic), "{heading}\n{markdown}");
    }
    for heading in ["linear probe on Selfie", "20 nearest neighbours, untrained network"] {
        assert!(is_statistic(&cells(heading)[0]) && cells(heading)[1] == "–", "{heading}\n{markdown}");
    }

    // The table says of a run what the run says of itself.
    let table: Value = serde_json::from_str(&read("alone", "table.json")).unwrap();
    let entry = table["entries"].as_array().unwrap().iter().find(|entry| {
        entry["row"] == "selfie" && entry["labels"] == 0.1 && entry["metric"] == "accuracy" && entry["axis"].is_null()
    });
    let selfie = path.join("alone/seed-2/selfie-labels-0.1");
    let evaluated = succeed(path, &["evaluate", selfie.to_str().unwrap(), "--neighbours", "--json"]);
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    assert_eq!(entry.unwrap()["by_seed"]["2"], evaluated["accuracy"]);
    for (number, largest) in [("calibration_error", 1.0), ("loss", f64::MAX)] {
        assert!((0.0..=largest).contains(&evaluated[number].as_f64().unwrap()), "{evaluated:#}");
    }
    for retrieval in ["retrieval", "retrieval_untrained"] {
        assert_eq!(evaluated[retrieval][2]["k"], 10, "{evaluated:#}");
    }
    assert_eq!(evaluated["confusion"].as_array().unwrap().len(), 10);

    // Other settings are other runs, and the folder says so.
    let (code, _, stderr) = run(path, &fill("alone", &["--set", "finetune.lr=0.3"]));
    assert!(code == 1 && stderr.contains("lr was 0.05, now 0.3"), "{stderr}");
}

#[test]
fn a_row_can_be_filled_alone_and_the_rest_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("tiny.toml"), RECIPE).unwrap();
    let markdown = || std::fs::read_to_string(path.join("out/table.md")).unwrap();
    succeed(path, &fill("out", &["--only", "scratch", "--seeds", "1"]));
    assert!(markdown().contains("from scratch") && !markdown().contains("linear probe"), "{}", markdown());
    assert!(!path.join("out/seed-1/pretrain").exists(), "a row from scratch needs no pretraining");
    succeed(path, &fill("out", &["--only", "probe-untrained"]));
    assert!(markdown().contains("from scratch") && markdown().contains("(1 of 2 seeds)"), "{}", markdown());
}

#[test]
fn new_statistics_are_those_of_the_same_pretraining() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("tiny.toml"), format!("{RECIPE}{STATISTICS}")).unwrap();
    succeed(path, &fill("out", &["--only", "neighbours", "--seeds", "1"]));
    let cell = |folder: &str| -> Value {
        let file = path.join(format!("out/seed-1/{folder}neighbours-labels-0.02/cell.json"));
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    };
    let (old, new) = (cell(""), cell("statistics-new/"));
    assert_eq!((&old["subject"]["norm_batches"], &new["subject"]["norm_batches"]), (&Value::Null, &2.into()));
    assert_eq!(old["subject"]["weights_sha256"], new["subject"]["weights_sha256"]);
    assert_ne!(old["metrics"]["accuracy"], new["metrics"]["accuracy"]);
    assert!(!path.join("out/seed-1/statistics-new/pretrain").exists());
    assert!(path.join("out/axis-2.svg").is_file());
}

#[test]
fn a_signal_during_the_last_evaluation_of_a_run_ends_the_table_before_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("tiny.toml"), RECIPE).unwrap();
    // Images one by one, so that the evaluation takes long enough to be hit.
    let more = ["--only", "scratch", "--seeds", "1", "--set", "finetune.evaluation_batch_size=1"];
    let child = selfie().current_dir(path).args(fill("out", &more)).stderr(Stdio::piped()).spawn().unwrap();
    let metrics = path.join("out/seed-1/scratch-labels-0.02/metrics.jsonl");
    let is_trained = || std::fs::read_to_string(&metrics).is_ok_and(|text| text.contains("\"step\":6,"));
    let started = Instant::now();
    while !is_trained() {
        assert!(started.elapsed() < PATIENCE, "no line of metrics of the last step within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(143), "{stderr}");
    assert!(stderr.contains("SIGTERM after"), "{stderr}");
    assert!(!path.join("out/seed-1/scratch-labels-0.1").exists(), "{stderr}");
    succeed(path, &fill("out", &more));
    assert!(path.join("out/seed-1/scratch-labels-0.1/cell.json").exists());
}
