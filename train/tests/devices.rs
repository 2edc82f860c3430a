//! Runs on several devices, and in fewer bits: what they give beside one device in 32 bits. The CPU device stands for all: it may
//! be named more than once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use safetensors::{Dtype, SafeTensors};
use selfie_train::data::SplitName;
use selfie_train::evaluate::{self, EvaluateOptions};
use selfie_train::recipe::Precision;
use selfie_train::run::{RunRecord, metrics};
use selfie_train::{Error, Options, Summary, finetune, pretrain};
use std::path::Path;
use toy::{Toy, weights};

fn options(toy: &Toy, stage: &str, out: &str, device: &str, set: &[&str]) -> Options {
    Options {
        device: device.to_owned(),
        set: set.iter().map(ToString::to_string).collect(),
        quiet: true,
        ..Options::new(toy.recipe(stage), toy.path(out))
    }
}

fn run(stage: &str, options: &Options) -> Result<Summary, Error> {
    if stage == "pretrain" { pretrain::run(options) } else { finetune::run(options) }
}

/// Bits of every loss, gradient norm and accuracy on the way.
fn numbers(run: &Path) -> Vec<[Option<u64>; 4]> {
    let names = ["loss", "accuracy", "gradient_norm", "ema_loss"];
    let lines = metrics::read(&run.join("metrics.jsonl")).unwrap();
    lines.iter().map(|line| names.map(|name| line.values.get(name).map(|value| value.to_bits()))).collect()
}

fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn devices_train_to_the_very_bytes_of_one_that_accumulates() {
    let toy = Toy::new();
    let all = ["steps=12", "log_every=1", "ema_decay=0.9", "norm_batches=3", "label_smoothing=0.1", "layer_decay=0.8"];
    let finetune = ["freeze=[\"resnet.layer1\"]", "augment.mixup=0.4"];
    for (stage, more) in [("pretrain", &[] as &[&str]), ("finetune", &finetune)] {
        for (devices, accumulate, together) in [("cpu,cpu", 1, 2), ("cpu,cpu", 2, 4), ("cpu,cpu,cpu,cpu", 1, 4)] {
            let train = |device: &str, accumulate: usize| {
                let accumulate = format!("accumulate={accumulate}");
                let set = [&all, more, &[accumulate.as_str()]].concat();
                let out = format!("{stage}-{device}-{accumulate}-{together}-{devices}");
                let options = options(&toy, stage, &out, device, &set);
                run(stage, &options).unwrap();
                options.out
            };
            let (several, one) = (train(devices, accumulate), train("cpu", together));
            let what = format!("{stage} on {devices}, {accumulate}");
            assert!(weights(&several) == weights(&one), "{what}: other weights");
            assert!(weights(&several.join("ema")) == weights(&one.join("ema")), "{what}: another average");
            assert_eq!(numbers(&several), numbers(&one), "{what}");
        }
    }
}

#[test]
fn a_run_goes_on_with_as_many_devices_as_it_has_begun_with() {
    let toy = Toy::new();
    let mut options =
        options(&toy, "pretrain", "begun", "cpu,cpu", &["steps=4", "warmup_steps=1", "checkpoint_every=2"]);
    pretrain::run(&options).unwrap();
    let finished = weights(&options.out);
    let text = std::fs::read_to_string(options.out.join("run.json")).unwrap();
    let record: RunRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(record.device, "cpu,cpu");
    let unfinished = RunRecord { steps: None, finished_unix_s: None, seconds: None, metrics: [].into(), ..record };
    std::fs::write(options.out.join("run.json"), serde_json::to_string(&unfinished).unwrap()).unwrap();
    (options.resume, options.device) = (true, "cpu".into());
    let refused = message(pretrain::run(&options));
    assert!(refused.contains("2 devices (cpu,cpu)") && refused.contains("name 2"), "{refused}");
    options.device = "cpu, cpu".into();
    pretrain::run(&options).unwrap();
    assert!(weights(&options.out) == finished);
}

#[test]
fn lists_that_make_no_sense_are_refused() {
    let toy = Toy::new();
    let refused =
        |device: &str, set: &[&str]| message(pretrain::run(&options(&toy, "pretrain", "refused", device, set)));
    let cases = [
        (refused("cpu,cpu,cpu", &[]), "batch_size is 16; it must be a multiple of 3"),
        (refused("cpu,cpu", &["accumulate=8"]), "a multiple of 16, accumulate times the 2 devices"),
        (refused("cpu,tpu", &[]), "device \"tpu\": it is unknown"),
        (refused("cpu,", &[]), "device \"\": it is unknown"),
        (refused("cpu", &["precision=f16"]), "unknown variant `f16`, expected `f32` or `bf16`"),
    ];
    let wrong: Vec<&(String, &str)> = cases.iter().filter(|(found, expected)| !found.contains(expected)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(!toy.path("refused").exists());
    let evaluation = EvaluateOptions {
        run: toy.path("none"),
        data: None,
        split: SplitName::Test,
        device: "cpu,cpu".into(),
        batch_size: 7,
        neighbours: Vec::new(),
        noise: false,
    };
    let text = message(evaluate::run(&evaluation));
    assert!(text.contains("one device is wanted"), "{text}");
}

#[test]
fn bfloat16_stays_near_32_bits_and_keeps_the_weights_in_32() {
    let toy = Toy::new();
    // At larger rates training itself makes any difference grow, as it does that between 32 and 64 bits.
    let set =
        ["steps=20", "lr=0.01", "log_every=1", "network.pooling.dropout=0.0", "checkpoint_every=7", "ema_decay=0.9"];
    for (stage, head) in [("pretrain", None), ("finetune", None), ("finetune", Some("network.head=fourth-group"))] {
        let train = |precision: &str| {
            let precision = format!("precision={precision}");
            let set: Vec<&str> = set.into_iter().chain(head).chain([precision.as_str()]).collect();
            let options = options(&toy, stage, &format!("{stage}-{head:?}-{precision}"), "cpu", &set);
            run(stage, &options).unwrap();
            options.out
        };
        let (wide, narrow) = (train("f32"), train("bf16"));
        let losses = |run: &Path| -> Vec<f64> {
            let lines = metrics::read(&run.join("metrics.jsonl")).unwrap();
            lines.iter().filter(|line| line.split == metrics::Split::Train).map(|line| line.values["loss"]).collect()
        };
        let (wide_losses, losses) = (losses(&wide), losses(&narrow));
        assert_eq!(losses.len(), 20);
        let differences = wide_losses.iter().zip(&losses).map(|(wide, narrow)| (wide - narrow).abs() / wide);
        let differences: Vec<f64> = differences.collect();
        let largest = differences.iter().copied().fold(0.0, f64::max);
        let is_near = differences[0] < 0.005 && largest < 0.03;
        assert!(is_near, "{stage} {head:?}: {differences:?}\n{wide_losses:?}\n{losses:?}");
        assert!(weights(&wide) != weights(&narrow), "{stage} {head:?}: nothing was rounded");
        for file in ["weights.safetensors", "ema/weights.safetensors", "checkpoints/step-00000014/weights.safetensors"]
        {
            let bytes = std::fs::read(narrow.join(file)).unwrap();
            let tensors = SafeTensors::deserialize(&bytes).unwrap();
            assert!(
                tensors.tensors().iter().all(|(_, tensor)| tensor.dtype() == Dtype::F32),
                "{stage} {head:?}: {file}"
            );
        }
    }
}

#[test]
fn a_forecast_names_the_devices_and_counts_their_copies() {
    let toy = Toy::new();
    let forecast =
        |device: &str, set: &[&str]| pretrain::forecast(&options(&toy, "pretrain", "none", device, set)).unwrap();
    let (one, two) = (forecast("cpu", &[]), forecast("cpu,cpu", &["precision=bf16", "accumulate=2"]));
    assert_eq!((one.devices.len(), one.part_size, one.precision), (1, 16, Precision::F32));
    assert_eq!((two.devices, two.part_size, two.precision), (vec!["cpu".to_owned(); 2], 4, Precision::Bf16));
    let of_copies = 2 * 2 * (two.parameters + two.trained) as u64;
    assert_eq!(two.state_bytes, one.state_bytes + of_copies);
}
