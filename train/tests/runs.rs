//! Whole runs on a small data set.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod toy;

use selfie_models::saved;
use selfie_train::data::SplitName;
use selfie_train::evaluate::{self, EvaluateOptions};
use selfie_train::run::metrics::Split;
use selfie_train::run::{Labels, RunRecord};
use selfie_train::{Error, Options, Summary, finetune, pretrain};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use toy::{Toy, weights};

fn options(toy: &Toy, stage: &str, out: &str, set: &[&str]) -> Options {
    let mut options = Options::new(toy.recipe(stage), toy.path(out));
    options.set = set.iter().map(ToString::to_string).collect();
    options.quiet = true;
    options
}

fn json<T: DeserializeOwned>(run: &Path, name: &str) -> T {
    serde_json::from_str(&std::fs::read_to_string(run.join(name)).unwrap()).unwrap()
}

fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.unwrap_err().to_string()
}

fn metric(summary: &Summary, name: &str) -> f64 {
    summary.metrics[name]
}

#[test]
fn pretraining_and_fine_tuning_learn_and_leave_a_whole_folder() {
    let toy = Toy::new();
    let mut pretraining = options(&toy, "pretrain", "pretrained", &["steps=200", "network.pooling.dropout=0.0"]);
    let pretrained = pretrain::run(&pretraining).unwrap();
    assert_eq!((metric(&pretrained, "chance_accuracy"), pretrained.steps), (0.5, 200));
    assert!(metric(&pretrained, "loss") < 0.75 * metric(&pretrained, "chance_loss"), "{pretrained:?}");
    assert!(metric(&pretrained, "test_accuracy") > 0.75, "{pretrained:?}");

    let mut finetuning = options(&toy, "finetune", "finetuned", &["steps=60", "network.pooling.dropout=0.0"]);
    finetuning.init = Some(pretraining.out.clone());
    let finetuned = finetune::run(&finetuning).unwrap();
    assert!(metric(&finetuned, "test_accuracy") > 0.9, "{finetuned:?}");

    let files =
        ["recipe.toml", "run.json", "metrics.jsonl", "curves.svg", "network.json", "weights.safetensors", "card.json"];
    for run in [&pretraining.out, &finetuning.out] {
        let missing: Vec<&str> = files.into_iter().filter(|file| !run.join(file).is_file()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    let card = saved::load(&finetuning.out, &selfie_models::device::open("cpu").unwrap()).unwrap().card;
    card.check().unwrap();
    assert_eq!(card.outputs.logits.unwrap().labels, ["0", "1"]);
    assert_eq!(card.provenance.label_fraction, Some(0.5));
    assert_eq!(card.provenance.init.unwrap().recipe, "toy-pretrain");
    assert_eq!(card.provenance.metrics["test_accuracy"], metric(&finetuned, "test_accuracy"));

    let ask = |run: &Path| EvaluateOptions {
        run: run.to_owned(),
        data: None,
        split: SplitName::Test,
        device: "cpu".into(),
        batch_size: 7,
        neighbours: vec![1, 20],
        noise: false,
    };
    let evaluation = evaluate::run(&ask(&finetuning.out)).unwrap();
    assert!((evaluation.accuracy.unwrap() - metric(&finetuned, "test_accuracy")).abs() < 1e-9);
    assert_eq!(evaluation.confusion.iter().flatten().sum::<u64>(), 40);
    assert_eq!(evaluation.classes.iter().map(|class| class.images).collect::<Vec<_>>(), [20, 20]);
    let evaluation = evaluate::run(&ask(&pretraining.out)).unwrap();
    assert!(
        evaluation.accuracy.is_none() && evaluation.neighbours.iter().all(|vote| vote.accuracy > 0.5),
        "{evaluation:?}"
    );
    assert_eq!(evaluation.neighbours.iter().map(|vote| vote.k).collect::<Vec<_>>(), [1, 20]);
    let noise = |run: &Path| evaluate::run(&EvaluateOptions { noise: true, ..ask(run) });
    let noisy = noise(&finetuning.out).unwrap().noise;
    assert_eq!(noisy.iter().map(|noisy| noisy.sigma).collect::<Vec<_>>(), [0.05, 0.1, 0.2]);
    assert!(noisy[0].accuracy > 0.6 && noisy[0].loss < noisy[2].loss, "{noisy:?}");
    assert!(message(noise(&pretraining.out)).contains("name a fine-tuned run"));

    // A finished run is not run again, and another recipe is refused.
    let before = weights(&pretraining.out);
    assert!(message(pretrain::run(&pretraining)).contains("--resume"));
    pretraining.resume = true;
    assert_eq!(pretrain::run(&pretraining).unwrap().metrics, pretrained.metrics);
    pretraining.set.push("lr=0.5".into());
    assert!(message(pretrain::run(&pretraining)).contains("lr was 0.05, now 0.5"));
    assert!(weights(&pretraining.out) == before);
    finetuning.resume = true;
    finetuning.init = None;
    assert_eq!(finetune::run(&finetuning).unwrap().metrics, finetuned.metrics);
    finetuning.init = Some(finetuning.out.clone());
    assert!(message(finetune::run(&finetuning)).contains("it holds a run that started from"));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_the_twin_has_the_same_labels() {
    let toy = Toy::new();
    let short = ["steps=4", "warmup_steps=1"];
    let pretraining = options(&toy, "pretrain", "pretrained", &short);
    pretrain::run(&pretraining).unwrap();
    let run = |out: &str, init: bool, seed: u64| {
        let mut options = options(&toy, "finetune", out, &short);
        options.init = init.then(|| pretraining.out.clone());
        (options.seed, options.labels) = (Some(seed), Some(0.25));
        finetune::run(&options).unwrap();
        (weights(&options.out), json::<Labels>(&options.out, "labels.json"))
    };
    let (selfie, twin, again, other) =
        (run("selfie", true, 7), run("twin", false, 7), run("again", true, 7), run("other", true, 8));
    assert_eq!(selfie.1, twin.1);
    assert_eq!(selfie.1.counts.values().copied().collect::<Vec<_>>(), [16, 16]);
    assert_ne!(selfie.1.indices, other.1.indices);
    assert!(selfie.0 == again.0 && selfie.0 != twin.0 && selfie.0 != other.0);
    let card = |out: &str| std::fs::read_to_string(toy.path(out).join("card.json")).unwrap();
    assert_eq!(card("selfie"), card("again"));
    let record: RunRecord = json(&toy.path("twin"), "run.json");
    assert!(record.init.is_none() && record.finished_unix_s.is_some() && record.seed == 7);
}

#[test]
fn a_run_that_diverges_stops_and_leaves_the_last_checkpoint() {
    let toy = Toy::new();
    let set = ["lr=1e25", "warmup_steps=29", "clip_norm=0.0", "checkpoint_every=1"];
    let options = options(&toy, "pretrain", "diverged", &set);
    let error = pretrain::run(&options).unwrap_err();
    let Error::Diverged { step, ref last, .. } = error else { panic!("{error}") };
    let text = error.to_string();
    assert!(text.contains(&format!("step {step}: the ")) && text.contains("a clip_norm, as of 1"), "{text}");
    assert!(step >= 2, "the first step has fresh weights");
    assert!(!options.out.join("weights.safetensors").exists());
    assert_eq!(*last, None, "every checkpoint is of weights that the first step has ruined");
    assert_eq!(std::fs::read_dir(options.out.join("checkpoints")).unwrap().count(), 0);
}

#[test]
fn weights_that_the_last_step_has_ruined_are_no_trained_network() {
    let toy = Toy::new();
    let set = ["steps=1", "warmup_steps=0", "lr=1e30", "clip_norm=0"];
    for stage in ["pretrain", "finetune"] {
        let options = options(&toy, stage, stage, &set);
        let result = if stage == "pretrain" { pretrain::run(&options) } else { finetune::run(&options) };
        let text = message(result);
        assert!(text.contains("step 1: ") && text.contains("diverged"), "{stage}: {text}");
        assert!(!options.out.join("weights.safetensors").exists(), "{stage}");
        let lines = std::fs::read_to_string(options.out.join("metrics.jsonl")).unwrap();
        assert!(!lines.contains("null"), "{stage}: {lines}");
    }
}

/// The steps of the checkpoints of a run.
fn checkpoints(run: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(run.join("checkpoints")).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut steps: Vec<u64> = entries.filter_map(|entry| name(entry).strip_prefix("step-")?.parse().ok()).collect();
    steps.sort_unstable();
    steps
}

#[test]
fn a_loss_that_runs_away_ends_a_run_which_goes_on_from_before_with_a_lower_rate() {
    let toy = Toy::new();
    // Once lr times weight_decay is above what momentum allows, weights grow by a factor in every step.
    let set = ["steps=200", "warmup_steps=100", "lr=2", "weight_decay=10", "clip_norm=0"];
    let set = [&set[..], &["checkpoint_every=2", "log_every=1"]].concat();
    let mut options = options(&toy, "finetune", "risen", &set);
    let error = finetune::run(&options).unwrap_err();
    let Error::Diverged { step, last: Some(ref last), .. } = error else { panic!("{error}") };
    let lines = selfie_train::run::metrics::read(&options.out.join("metrics.jsonl")).unwrap();
    let first_high = lines.iter().find(|line| line.values["loss"] > 20.0 * 2f64.ln()).unwrap().step;
    let left = checkpoints(&options.out);
    assert!(left.iter().all(|left| *left < first_high) && first_high < step, "{left:?}, {first_high}, {step}");
    assert_eq!(last.file_name().unwrap().to_str().unwrap(), format!("step-{:08}", left.last().unwrap()));

    options.resume = true;
    options.set.push("momentum=0.5".into());
    assert!(message(finetune::run(&options)).contains("momentum was 0.9, now 0.5"));
    options.set.pop();
    let Err(Error::Diverged { step: again, .. }) = finetune::run(&options) else { panic!("the same rate went well") };
    assert_eq!(again, step, "the same rate leads to the same end");
    options.set.extend(["lr=0.01".into(), "warmup_steps=0".into()]);
    let summary = finetune::run(&options).unwrap();
    assert!(metric(&summary, "test_loss") < 2.0, "{summary:?}");
    let record: RunRecord = json(&options.out, "run.json");
    let changes: Vec<_> =
        record.changes.iter().map(|change| (change.key.as_str(), change.was.as_str(), change.now.as_str())).collect();
    assert_eq!(changes, [("lr", "2.0", "0.01"), ("warmup_steps", "100", "0")]);
    assert_eq!((record.diverged_at, record.changes[0].diverged_at), (None, step));
    options.set.push("lr=0.02".into());
    assert!(message(finetune::run(&options)).contains("lr was 0.01, now 0.02"));
}

#[test]
fn a_run_that_was_killed_behind_its_last_step_measures_once() {
    let toy = Toy::new();
    let set = ["steps=8", "patience=5", "evaluate_every=4", "validation_fraction=0.25"];
    let mut options = options(&toy, "finetune", "killed", &set);
    finetune::run(&options).unwrap();
    let lines = || std::fs::read_to_string(options.out.join("metrics.jsonl")).unwrap();
    let before = lines();
    let record: RunRecord = json(&options.out, "run.json");
    let unfinished = RunRecord { steps: None, finished_unix_s: None, seconds: None, metrics: [].into(), ..record };
    std::fs::write(options.out.join("run.json"), serde_json::to_string(&unfinished).unwrap()).unwrap();
    options.resume = true;
    finetune::run(&options).unwrap();
    assert_eq!(lines(), before);
}

#[test]
fn what_cannot_be_run_is_refused_before_the_folder_is_made() {
    let toy = Toy::new();
    let mut pretrained = options(&toy, "pretrain", "pretrained", &["steps=1", "warmup_steps=0"]);
    pretrain::run(&pretrained).unwrap();
    pretrained.init = Some(pretrained.out.clone());
    let finetune = |change: fn(&mut Options)| {
        let mut options = options(&toy, "finetune", "refused", &[]);
        options.init = pretrained.init.clone();
        change(&mut options);
        message(finetune::run(&options))
    };
    let pretrain = |change: fn(&mut Options)| {
        let mut options = options(&toy, "pretrain", "refused", &[]);
        change(&mut options);
        message(pretrain::run(&options))
    };
    let cases = [
        (
            pretrain(|options| options.set.push("network.patch_size=5".into())),
            "patch_size 5 does not divide the image of 16x16",
        ),
        (pretrain(|options| options.set.push("network.preset=huge".into())), "there is no preset \"huge\""),
        (pretrain(|options| options.set.push("freeze=[\"resnet\"]".into())), "there are patch_network.conv1"),
        (pretrain(|options| options.set.push("augment.mixup=0.2".into())), "pretraining sees none"),
        (pretrain(|options| options.set.push("accumulate=3".into())), "accumulate is 3; it must divide batch_size"),
        (pretrain(|options| options.set.push("augment.crop_padding=16".into())), "crop_padding = 16: must be below"),
        (pretrain(|options| options.set.push("patience=3".into())), "evaluate_every is 0"),
        (
            pretrain(|options| options.set.extend(["patience=3".into(), "evaluate_every=5".into()])),
            "set validation_fraction",
        ),
        (pretrain(|options| options.data = Some("nowhere".into())), "nowhere"),
        (pretrain(|options| options.device = "tpu".into()), "tpu"),
        (pretrain(|options| options.labels = Some(0.5)), "pretraining sees no labels"),
        (
            pretrain(|options| options.recipe = options.recipe.replace("pretrain.toml", "finetune.toml")),
            "its stage is finetune",
        ),
        (pretrain(|options| options.init = Some("x".into())), "only fine-tuning has --init"),
        (finetune(|options| options.labels = Some(1.5)), "label_fraction is 1.5"),
        (finetune(|options| options.init = Some("nowhere".into())), "cannot start from nowhere"),
        (finetune(|options| options.set.push("network.width=4".into())), "width: 4"),
        (finetune(|options| options.set.push("network.pooling.layers=2".into())), "layers: 2"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(found, expected)| !found.contains(expected))
        .map(|(found, expected)| format!("{found:?} does not say {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!toy.path("refused").exists());
}

#[test]
fn a_run_that_gets_no_better_stops_and_goes_back_to_its_best_step() {
    let toy = Toy::new();
    // Nothing moves: a better step than the first one is not to be found.
    let set = [
        "lr=1e-30",
        "freeze=[\"resnet\", \"pooling\"]",
        "patience=2",
        "evaluate_every=4",
        "validation_fraction=0.25",
        "ema_decay=0.5",
    ];
    let options = options(&toy, "finetune", "stopped", &set);
    let summary = finetune::run(&options).unwrap();
    assert_eq!(summary.steps, 4);
    let bytes = |name: &str| std::fs::read(options.out.join(name)).unwrap();
    assert!(weights(&options.out) == bytes("checkpoints/best-00000004/weights.safetensors"));
    assert!(bytes("ema/weights.safetensors") == bytes("checkpoints/best-00000004/average.safetensors"));
    assert!(options.out.join("checkpoints/step-00000012").exists(), "the last state is kept as well");
    let lines = selfie_train::run::metrics::read(&options.out.join("metrics.jsonl")).unwrap();
    let validated: Vec<u64> =
        lines.iter().filter(|line| line.split == Split::Validation).map(|line| line.step).collect();
    assert_eq!(validated, [4, 8, 12]);
    let first = lines.iter().find(|line| line.split == Split::Validation).unwrap();
    assert_eq!(metric(&summary, "validation_accuracy"), first.values["accuracy"]);
    let record: RunRecord = json(&options.out, "run.json");
    assert_eq!((record.steps, record.metrics), (Some(4), summary.metrics));
}

#[test]
fn averaged_weights_are_a_network_of_their_own_with_their_own_numbers() {
    let toy = Toy::new();
    let options = options(&toy, "finetune", "averaged", &["steps=20", "ema_decay=0.9", "norm_batches=2"]);
    let summary = finetune::run(&options).unwrap();
    let ask = |run: PathBuf| EvaluateOptions {
        run,
        data: None,
        split: SplitName::Test,
        device: "cpu".into(),
        batch_size: 7,
        neighbours: Vec::new(),
        noise: false,
    };
    let accuracy = |run: PathBuf| evaluate::run(&ask(run)).unwrap().accuracy.unwrap();
    assert!((accuracy(options.out.join("ema")) - metric(&summary, "test_ema_accuracy")).abs() < 1e-9);
    assert!((accuracy(options.out.clone()) - metric(&summary, "test_accuracy")).abs() < 1e-9);
    let card = saved::load(&options.out.join("ema"), &selfie_models::device::open("cpu").unwrap()).unwrap().card;
    assert_eq!(card.provenance.metrics["test_loss"], metric(&summary, "test_ema_loss"));
    assert!(weights(&options.out) != weights(&options.out.join("ema")));
}

#[test]
fn finding_out_about_a_run_leaves_nothing_but_the_picture() {
    let toy = Toy::new();
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(toy.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let finetuning = options(&toy, "finetune", "out", &["freeze=[\"resnet.conv1\"]"]);
    let forecast = finetune::forecast(&finetuning).unwrap();
    assert_eq!((forecast.images, forecast.test_images, forecast.steps, forecast.batch_size), (64, 40, 30, 16));
    assert!(forecast.trained < forecast.parameters && forecast.step_flops > 1_000_000, "{forecast:?}");
    assert!(forecast.step_seconds > 0.0 && (forecast.epochs() - 7.5).abs() < 1e-9, "{forecast:?}");
    assert!(
        pretrain::forecast(&options(&toy, "pretrain", "out", &[]))
            .unwrap()
            .peak_bytes
            .is_none_or(|peak| peak > 1 << 20)
    );
    assert_eq!(names(), before);

    let found = pretrain::find_learning_rate(&options(&toy, "pretrain", "out", &[]), &toy.path("rates.svg")).unwrap();
    assert!(found.points.len() > 40, "{found:?}");
    assert!(found.steepest.is_some_and(|rate| (1e-4..5.0).contains(&rate)), "{found:?}");
    assert_eq!(names().len(), before.len() + 1);
    assert!(std::fs::read_to_string(toy.path("rates.svg")).unwrap().contains("steepest at"));
}
