//! The main job from outside: quickstart, then everything that can be done with what it leaves.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use support::{KILLS, MODEL_TOLERANCE, Serving, client, jpeg, kill_when, run, script, succeed};
use tempfile::TempDir;

/// One quickstart for all tests of this file.
fn quickstart() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        succeed(folder.path(), &["quickstart", "--no-serve", "--dir", "."]);
        folder
    });
    folder.path()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

const MODEL: &str = "store/quickstart/1/model.onnx";
/// How long the server may drain; its end must not take so long.
const DRAIN_MS: u64 = 120_000;

#[test]
fn quickstart_leaves_a_good_classifier_with_runs_curves_and_summary() {
    let folder = quickstart();
    let summary = json(&folder.join("summary.json"));
    let metric = |stage: &str, name: &str| summary[stage]["metrics"][name].as_f64().unwrap();
    assert!(metric("finetune", "test_accuracy") >= 0.75, "{summary:#}");
    assert!(metric("pretrain", "test_accuracy") >= 1.5 * metric("pretrain", "chance_accuracy"), "{summary:#}");
    assert!(summary["peak_memory_bytes"].as_u64().unwrap() < 2 << 30, "{summary:#}");
    for run in ["pretrain", "finetune", "from-scratch"] {
        let files = ["recipe.toml", "run.json", "metrics.jsonl", "curves.svg", "report.html", "weights.safetensors"];
        for file in files.into_iter().chain(["card.json"]) {
            assert!(folder.join("runs").join(run).join(file).is_file(), "{run}/{file}");
        }
    }
    let labels = |run: &str| json(&folder.join("runs").join(run).join("labels.json"));
    assert_eq!(labels("finetune"), labels("from-scratch"), "the twin trains on other labels");
    assert!(folder.join(MODEL).is_file());
}

#[test]
fn the_compiled_model_gives_burn_s_numbers_in_every_runtime_here() {
    let folder = quickstart();
    let stdout = succeed(folder, &["verify", MODEL, "--run", "runs/finetune"]);
    let mut runtimes = vec!["tract", "rten"];
    match std::env::var_os("ORT_DYLIB_PATH") {
        Some(_) => runtimes.push("onnxruntime"),
        None => eprintln!("SKIPPED: ONNX Runtime is not compared, ORT_DYLIB_PATH is not set"),
    }
    for runtime in runtimes {
        for batch in ["1", "2", "7"] {
            let rows = stdout.lines().filter(|line| {
                let mut words = line.split_whitespace();
                [words.next(), words.next(), words.next()] == [Some(runtime), Some("usual"), Some(batch)]
                    && line.ends_with("ok")
            });
            // Two outputs, golden and random.
            assert_eq!(rows.count(), 4, "{runtime}, batch {batch}\n{stdout}");
        }
    }
}

#[test]
fn python_s_checker_and_onnxruntime_agree() {
    checked(&quickstart().join(MODEL), 17);
}

#[test]
fn every_network_of_ours_passes_python_s_checker() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (finetune, pretrain) = ("quickstart-finetune", "quickstart-pretrain");
    for (command, recipe, out, head) in [
        ("pretrain", pretrain, "embedding", None),
        ("finetune", finetune, "classifier", None),
        ("finetune", finetune, "attention", Some("network.head=attention-pooling")),
    ] {
        let settings = ["steps=3", "warmup_steps=1", "batch_size=8", "network.width=4"].into_iter().chain(head);
        let mut arguments = vec![command, "--recipe", recipe, "--out", out];
        arguments.extend(settings.flat_map(|setting| ["--set", setting]));
        succeed(folder, &arguments);
        for opset in [13, 17, 24] {
            let file = format!("{out}-{opset}.onnx");
            succeed(folder, &["export", out, "--opset", &opset.to_string(), "--out", &file]);
            checked(&folder.join(file), opset);
        }
    }
}

/// The checker, the strict shape inference and ONNX Runtime before a file of ours.
fn checked(model: &Path, opset: i64) {
    let Some(result) = script("check_model.py", [model]) else { return };
    let result: Value = serde_json::from_str(&result).unwrap();
    assert_eq!(result["batches"], serde_json::json!([1, 2, 7]));
    assert_eq!(result["opset"], opset);
    assert!(result["largest_error"].as_f64().unwrap() <= MODEL_TOLERANCE, "{result}");
}

#[test]
fn the_reports_open_in_a_browser_and_fetch_nothing() {
    if Command::new("chromedriver").arg("--version").output().is_err() {
        eprintln!("SKIPPED: check_report.py; there is no chromedriver, Debian's package is chromium-driver");
        return;
    }
    let of_pretraining = ["patches", "attention", "embeddings"];
    let of_fine_tuning = ["embeddings", "confusion", "mistakes"];
    let run = |run: &str| quickstart().join("runs").join(run).join("report.html");
    let committed = |page: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reports").join(page);
    let reports = [
        (run("pretrain"), of_pretraining),
        (run("finetune"), of_fine_tuning),
        (committed("pretrain.html"), of_pretraining),
        (committed("finetune.html"), of_fine_tuning),
    ];
    for (report, sections) in reports {
        let mut arguments = vec![report.to_str().unwrap(), "summary", "curves"];
        arguments.extend(sections.into_iter().chain(["optimisation", "throughput", "recipe"]));
        script("check_report.py", arguments);
    }
}

#[test]
fn a_second_export_has_the_same_bytes_and_the_next_version() {
    let folder = quickstart();
    let file = tempfile::tempdir().unwrap();
    let store = file.path().join("store");
    for version in ["1", "2"] {
        succeed(folder, &["export", "runs/finetune", "--name", "quickstart", "--out", store.to_str().unwrap()]);
        let bytes = std::fs::read(store.join("quickstart").join(version).join("model.onnx")).unwrap();
        assert!(bytes == std::fs::read(folder.join(MODEL)).unwrap(), "version {version} differs");
    }
    let fixed = file.path().join("fixed.onnx");
    succeed(folder, &["export", "runs/pretrain", "--batch", "2", "--out", fixed.to_str().unwrap()]);
    let stdout = succeed(folder, &["inspect", fixed.to_str().unwrap()]);
    assert!(
        stdout.contains("2 x 1 x 32 x 32") && stdout.contains("embedding") && !stdout.contains("logits"),
        "{stdout}"
    );
}

#[test]
fn a_run_compiles_to_a_file_that_takes_bytes_and_shows_its_passes() {
    let folder = quickstart();
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let (bytes, dumps) = (path("bytes.onnx"), path("dumps"));
    let stdout =
        succeed(folder, &["export", "runs/finetune", "--input", "u8", "--report", "--dump", &dumps, "--out", &bytes]);
    assert!(stdout.contains("fuse_batch_norm") && stdout.contains("-FLOPs"), "{stdout}");
    let texts = std::fs::read_dir(&dumps).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    assert_eq!(texts[0], "000-lowering.txt");
    assert!(texts.iter().any(|name| name.ends_with("-fuse_batch_norm.txt")), "{texts:?}");
    succeed(folder, &["verify", &bytes, "--run", "runs/finetune"]);
    let inspected = succeed(folder, &["inspect", &bytes]);
    assert!(inspected.contains("batch x 32 x 32 x 1") && inspected.contains("uint8"), "{inspected}");

    let plain = path("plain.onnx");
    succeed(folder, &["export", "runs/finetune", "--only", "remove_dead_code", "--out", &plain]);
    let inspected = succeed(folder, &["inspect", &plain]);
    let norms = |text: &str| text.lines().find(|line| line.starts_with("BatchNormalization")).map(str::to_owned);
    assert_ne!(norms(&inspected), norms(&succeed(folder, &["inspect", &bytes])), "{inspected}");
}

#[test]
fn inspect_shows_operators_shapes_and_the_card() {
    let stdout = succeed(quickstart(), &["inspect", MODEL]);
    for part in ["pixel_values", "batch x 1 x 32 x 32", "Conv", "opset 17", "FLOPs", "\"quickstart\", 3 golden"] {
        assert!(stdout.contains(part), "{part} is not in\n{stdout}");
    }
    let card: Value = serde_json::from_str(&succeed(quickstart(), &["inspect", MODEL, "--card"])).unwrap();
    assert_eq!(card["outputs"]["logits"]["labels"][9], "Ankle boot");
    assert_eq!(card["provenance"]["init"]["recipe"], "quickstart-pretrain");
}

#[test]
fn a_jpeg_from_elsewhere_gets_an_embedding_and_classes_and_the_server_stops_in_order() {
    let drain = DRAIN_MS.to_string();
    let mut serving = Serving::start(quickstart(), &["--models", "store", "--drain-timeout-ms", &drain]);
    let client = client();
    let at = |path: &str| format!("{}{path}", serving.address);

    let models: Value = client.get(at("/v1/models")).send().unwrap().json().unwrap();
    assert_eq!(models["data"][0]["id"], "quickstart");

    let classify = || {
        let request = client.post(at("/v1/classify?model=quickstart")).header("content-type", "image/jpeg");
        request.body(jpeg()).send()
    };
    let classes: Value = classify().unwrap().error_for_status().unwrap().json().unwrap();
    let scores: Vec<f64> = classes["data"][0]["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["score"].as_f64().unwrap())
        .collect();
    assert!(!scores.is_empty() && scores.is_sorted_by(|a, b| a >= b) && scores[0] <= 1.0, "{classes}");

    let part = reqwest::blocking::multipart::Part::bytes(jpeg()).file_name("shirt.jpg").mime_str("image/jpeg").unwrap();
    let form = reqwest::blocking::multipart::Form::new().text("model", "quickstart").part("images", part);
    let embeddings: Value = client.post(at("/v1/embeddings")).multipart(form).send().unwrap().json().unwrap();
    let vector = embeddings["data"][0]["embedding"].as_array().unwrap();
    assert_eq!(vector.len(), 512, "{embeddings}");

    let decoded = || {
        let metrics = client.get(at("/metrics")).send().unwrap().text().unwrap();
        let line = "selfie_stage_duration_seconds_count{model=\"quickstart\",stage=\"decode\",version=\"1\"} ";
        let count = metrics.lines().find_map(|text| text.strip_prefix(line)).unwrap();
        count.trim().parse::<u64>().unwrap()
    };
    let before = decoded();
    std::thread::scope(|scope| {
        let requests: Vec<_> = (0..4).map(|_| scope.spawn(classify)).collect();
        // All have come to the server, and it answers what has come.
        while decoded() < before + 4 && !requests.iter().all(|request| request.is_finished()) {
            std::thread::yield_now();
        }
        serving.terminate();
        for request in requests {
            assert_eq!(request.join().unwrap().unwrap().status(), 200);
        }
    });
    let (code, time) = serving.wait();
    assert_eq!(code, 0);
    assert!(time < Duration::from_millis(DRAIN_MS / 2), "it took {time:?}");
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let start = |out: &str| -> Vec<String> {
        let settings = ["steps=24", "warmup_steps=4", "batch_size=16", "checkpoint_every=4", "network.width=4"];
        let settings = settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting.to_owned()]);
        let arguments = ["pretrain", "--recipe", "quickstart-pretrain", "--out", out].map(str::to_owned);
        arguments.into_iter().chain(settings).collect()
    };
    let whole = start("whole");
    succeed(folder.path(), &whole.iter().map(String::as_str).collect::<Vec<_>>());

    let mut outs = (0..KILLS).map(|kill| format!("killed-{kill}"));
    let killed = outs.find(|out| {
        let child = support::selfie().current_dir(folder.path()).args(start(out)).spawn().unwrap();
        let run = folder.path().join(out);
        let checkpoints = || std::fs::read_dir(run.join("checkpoints")).map_or(0, Iterator::count);
        kill_when(child, || checkpoints() >= 2) && !run.join("weights.safetensors").exists()
    });
    let killed = killed.expect("the run ends before it can be killed");

    let again = start(&killed);
    let mut resumed = again.iter().map(String::as_str).collect::<Vec<_>>();
    let (code, _, stderr) = run(folder.path(), &resumed);
    assert!(code == 1 && stderr.contains("--resume"), "{stderr}");
    resumed.push("--resume");
    succeed(folder.path(), &resumed);
    let weights = |run: &str| std::fs::read(folder.path().join(run).join("weights.safetensors")).unwrap();
    assert!(weights("whole") == weights(&killed), "the resumed run ends with other weights");
}
