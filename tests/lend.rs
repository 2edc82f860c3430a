//! `selfie lend`: a training here, with a device of another process.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use support::{Serving, selfie};

const TOKEN: &str = "SELFIE_DEVICE_TOKEN";

/// Largest relative difference of a loss: Burn's own operations are on the lent device, those for training on the other one.
const LOSS_TOLERANCE: f64 = 1e-3;

/// The loss of every step of a tiny pretraining, or what it said instead.
fn losses(folder: &Path, device: &str, token: &str, out: &str) -> Result<Vec<f64>, String> {
    let mut command = selfie();
    command.current_dir(folder).env(TOKEN, token).stdin(Stdio::null());
    command.args(["pretrain", "--recipe", "quickstart-pretrain", "--device", device, "--out", out]);
    for setting in ["steps=4", "warmup_steps=1", "batch_size=8", "network.width=4", "log_every=1", "checkpoint_every=0"]
    {
        command.args(["--set", setting]);
    }
    let output = command.output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    let lines = std::fs::read_to_string(folder.join(out).join("metrics.jsonl")).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Ok(lines.filter(|line| line["split"] == "train").map(|line| line["loss"].as_f64().unwrap()).collect())
}

#[test]
fn a_lent_device_takes_its_part_of_every_batch_from_those_that_know_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut lend = selfie();
    lend.args(["lend", "--port", "0"]).env(TOKEN, "right");
    let mut lender = Serving::spawn(lend);
    let lent = lender.told("cpu is lent as ");
    assert_eq!(lent, format!("{}/0", lender.address));
    let here = losses(path, "cpu,cpu", "right", "here").unwrap();
    let shared = losses(path, &format!("cpu,{lent}"), "right", "shared").unwrap();
    assert_eq!((here.len(), shared.len()), (4, 4));
    for (here, shared) in here.iter().zip(&shared) {
        assert!((here - shared).abs() < LOSS_TOLERANCE * here, "{here} {shared}");
    }
    for (device, token) in [(lent.as_str(), "wrong"), (&format!("{}/1", lender.address), "right")] {
        let said = losses(path, device, token, "refused").unwrap_err();
        assert!(said.contains(device) && said.contains("selfie lend") && !said.contains("panicked"), "{said}");
    }
}
