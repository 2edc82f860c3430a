//! A model file that was changed after it was written is noticed by `selfie verify`, `selfie inspect` and the server.

mod support;

use selfie_models::digest::DIGEST_KEY;
use std::path::Path;
use support::{run, succeed};
use tempfile::TempDir;

/// Exit code of a command that failed.
const FAILED: i32 = 1;
const MODEL: &str = "store/small/1/model.onnx";

/// A store with a classifier of few weights after three steps of training.
fn store() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["steps=3", "warmup_steps=1", "batch_size=8", "network.width=4"];
    let mut arguments = vec!["finetune", "--recipe", "quickstart-finetune", "--out", "run"];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", *setting]));
    succeed(folder.path(), &arguments);
    succeed(folder.path(), &["export", "run", "--name", "small", "--out", "store"]);
    folder
}

fn find(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

/// What each command that reads the file says: exit code and standard error.
fn answers(folder: &Path) -> [(&'static str, i32, String); 3] {
    let commands: [&[&str]; 3] =
        [&["verify", MODEL], &["inspect", MODEL], &["serve", "--models", "store", "--runtime", "tract", "--port", "0"]];
    commands.map(|arguments| {
        let (code, _, stderr) = run(folder, arguments);
        (arguments[0], code, stderr)
    })
}

#[test]
fn a_changed_file_is_refused_by_every_command_that_reads_it() {
    let store = store();
    let folder = store.path();
    let whole = std::fs::read(folder.join(MODEL)).unwrap();
    let stdout = succeed(folder, &["verify", MODEL]);
    assert!(stdout.lines().any(|line| line.starts_with("digest: ") && line.ends_with("right")), "{stdout}");

    let flipped = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        bytes
    };
    // The label stands in the card; the file ends with the numbers of a weight.
    let cases = [
        ("a bit of a weight", flipped(whole.len() - 3)),
        ("a label in the card", flipped(find(&whole, "Ankle boot"))),
        ("a digit of the digest", flipped(find(&whole, DIGEST_KEY) + DIGEST_KEY.len() + 2)),
        ("the last hundred bytes cut off", whole[..whole.len() - 100].to_vec()),
    ];
    let mut wrong = Vec::new();
    for (what, bytes) in cases {
        std::fs::write(folder.join(MODEL), &bytes).unwrap();
        for (command, code, stderr) in answers(folder) {
            let said = stderr.contains("model.onnx") && (stderr.contains("has changed") || bytes.len() < whole.len());
            if code != FAILED || !said || stderr.contains("panicked") {
                wrong.push(format!("{what}, {command}: exit code {code}\n{stderr}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_card_beside_the_file_is_refused_and_the_same_one_is_not() {
    let store = store();
    let folder = store.path();
    let beside = folder.join(MODEL).with_file_name("card.json");
    let card = succeed(folder, &["inspect", MODEL, "--card"]);
    std::fs::write(&beside, &card).unwrap();
    succeed(folder, &["verify", MODEL]);
    succeed(folder, &["inspect", MODEL]);
    succeed(folder, &["serve", "--check", "--models", "store", "--runtime", "tract"]);

    assert!(card.contains("Ankle boot"), "{card}");
    std::fs::write(&beside, card.replace("Ankle boot", "Ankle boat")).unwrap();
    for (command, code, stderr) in answers(folder) {
        let said = stderr.contains("model.onnx") && stderr.contains("card.json") && stderr.contains(DIGEST_KEY);
        assert!(code == FAILED && said && !stderr.contains("panicked"), "{command}: exit code {code}\n{stderr}");
    }
    let (code, _, stderr) = run(folder, &["export", "run", "--out", "run/model.onnx"]);
    assert!(code == FAILED && stderr.contains("card.json") && stderr.contains("another folder"), "{code} {stderr}");
}

#[test]
fn a_file_without_a_digest_is_accepted_and_verify_says_so() {
    let stdout =
        succeed(Path::new(env!("CARGO_MANIFEST_DIR")), &["verify", "models/pretrained/fashion-mnist/1/model.onnx"]);
    assert!(stdout.contains("digest: none in the file"), "{stdout}");
}
