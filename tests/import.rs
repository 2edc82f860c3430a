//! Published weights from outside: a file as others write it, imported, compiled, and compared with the network's
//! definition, which is written down once more in Python without PyTorch and without us.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{MODEL_TOLERANCE, run, script, succeed};

const SCRIPT: &str = "check_import.py";

#[test]
fn published_weights_give_the_numbers_of_the_network_s_definition() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if script(SCRIPT, [Path::new("make"), folder]).is_none() {
        return;
    }
    for file in ["weights.safetensors", "checkpoint.pth"] {
        let (run, model) = (format!("run-of-{file}"), format!("{file}.onnx"));
        let arguments =
            ["import", file, "--arch", "resnet50", "--labels", "labels.txt", "--image-size", "64", "--out", &run];
        let stdout = succeed(folder, &arguments);
        assert!(stdout.contains("6 classes, 64x64"), "{stdout}");
        succeed(folder, &["export", &run, "--out", &model]);
        let errors = script(SCRIPT, [Path::new("compare"), folder, folder.join(&model).as_path()]).unwrap();
        let errors: Value = serde_json::from_str(&errors).unwrap();
        for output in ["logits", "embedding"] {
            assert!(errors[output].as_f64().unwrap() <= MODEL_TOLERANCE, "{file}: {errors}");
        }
        let card: Value = serde_json::from_str(&succeed(folder, &["inspect", &model, "--card"])).unwrap();
        assert_eq!(card["outputs"]["logits"]["labels"][5], "label 5");
        assert_eq!(card["preprocessing"]["crop_size"]["height"], 64);
    }
    let (code, _, stderr) = run(folder, &["import", "weights.safetensors", "--arch", "resnet101", "--out", "other"]);
    assert!(code == 1 && stderr.contains("missing: layer3.10.bn1.bias") && stderr.contains("resnet50"), "{stderr}");
    assert!(!folder.join("other").exists());
}

#[test]
fn fine_tuning_starts_from_published_weights_as_they_are_and_imported_in_whatever_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if script(SCRIPT, [Path::new("make"), folder]).is_none() {
        return;
    }
    succeed(
        folder,
        &["import", "weights.safetensors", "--arch", "resnet50", "--image-size", "32", "--out", "imported"],
    );
    for file in ["own.safetensors", "own.bpk"] {
        succeed(folder, &["weights", "imported", "--out", file]);
    }
    let settings = "steps=1 warmup_steps=0 batch_size=4 images.channels=3 augment.flip=false \
                    network.preset=resnet50 network.width=4 network.stem=large network.block=post-activation";
    let finetune = |start: Option<&str>, out: &str, more: &[&str]| {
        let mut arguments = vec!["finetune", "--recipe", "quickstart-finetune", "--out", out];
        arguments.extend(start.iter().flat_map(|start| ["--init", start]));
        arguments.extend(settings.split_whitespace().chain(more.iter().copied()).flat_map(|set| ["--set", set]));
        run(folder, &arguments)
    };
    let weights = |out: &str| std::fs::read(folder.join(out).join("weights.safetensors")).unwrap();
    let starts = ["imported", "weights.safetensors", "checkpoint.pth", "own.safetensors", "own.bpk"];
    for start in starts {
        let out = format!("from-{start}");
        let (code, _, stderr) = finetune(Some(start), &out, &[]);
        assert_eq!(code, 0, "{start}: {stderr}");
        assert!(weights(&out) == weights("from-imported"), "{start}");
        let record: Value =
            serde_json::from_slice(&std::fs::read(folder.join(&out).join("run.json")).unwrap()).unwrap();
        assert_eq!(record["init"]["path"], start);
    }
    assert_eq!(finetune(None, "scratch", &[]).0, 0);
    assert!(weights("scratch") != weights("from-imported"), "nothing was taken over");

    let (code, _, stderr) = finetune(Some("weights.safetensors"), "refused", &["network.block=pre-activation"]);
    let expected = "stem of 7x7, groups of [3, 4, 6, 3] post-activation blocks; the network to train must be the same";
    assert!(code == 1 && stderr.contains("unexpected: bn1.bias") && stderr.contains(expected), "{stderr}");
    let (code, _, stderr) = finetune(Some("imported"), "refused", &["network.stem=small"]);
    assert!(code == 1 && stderr.contains("cannot start from imported: its patch network is"), "{stderr}");
    assert!(!folder.join("refused").exists());
}
