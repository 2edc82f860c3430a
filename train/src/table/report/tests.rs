use super::*;
use crate::data;
use crate::table::Origin;
use crate::table::TableOptions;

/// A table of two parts, two seeds and an axis, of which one cell is missing.
const RECIPE: &str = "\
name = 'toy'
data = 'fashion-mnist-sample'
seeds = 2
pretrain.recipe = 'quickstart-pretrain'
finetune.recipe = 'quickstart-finetune'
[[labels]]
part = 0.05
rows = ['selfie', 'scratch']
set = { steps = 30 }
[[labels]]
part = 1.0
rows = ['selfie', 'scratch', 'neighbours']
[[axis]]
name = 'masked share'
values = [{ name = '1/4' }, { name = '1/2', pretrain = { network.mask_ratio = 0.5 } }]
";

/// The report of that table.
pub(crate) fn report() -> Report {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("toy.toml");
    std::fs::write(&recipe, RECIPE).unwrap();
    let options = TableOptions {
        recipe: recipe.display().to_string(),
        set: Vec::new(),
        data: None,
        seeds: None,
        only: Vec::new(),
        out: "out".into(),
        device: "cpu".into(),
        quiet: true,
    };
    let accuracies = [
        ("seed-1/selfie-labels-0.05", 0.81),
        ("seed-2/selfie-labels-0.05", 0.83),
        ("seed-1/scratch-labels-0.05", 0.80),
        ("seed-2/scratch-labels-0.05", 0.79),
        ("seed-1/selfie-labels-1", 0.90),
        ("seed-1/scratch-labels-1", 0.91),
        ("seed-1/masked-share-1-2/selfie-labels-0.05", 0.5),
        ("seed-2/masked-share-1-2/selfie-labels-0.05", 0.6),
    ];
    let number = |(folder, accuracy): &(&str, f64)| {
        let metrics = [("accuracy".to_owned(), *accuracy), ("calibration_error".to_owned(), 0.25)];
        (PathBuf::from(folder), BTreeMap::from(metrics))
    };
    let results: Results = accuracies.iter().map(number).collect();
    let plan = Plan::new(&options).unwrap();
    let origin = |revision: &str| Origin { source_revision: revision.into(), ..Origin::of_this("cpu") };
    let origins = [("aaaa", 9), ("bbbb", 1)];
    let origins = origins.map(|(revision, count)| OriginReport { origin: origin(revision), count }).to_vec();
    Report::new(&plan, origins, &data::open("fashion-mnist-sample").unwrap(), &results).unwrap()
}

#[test]
fn entries_hold_every_seed_and_gains_are_taken_seed_by_seed() {
    let report = report();
    assert_eq!((report.train_images, report.test_images, report.parts[0].images), (4000, 1000, 200));
    assert_eq!((report.parts[0].finetune.steps, report.pretrain.steps), (30, 320));
    let entry = report.entry(Row::Selfie, 0.05, "accuracy", None).unwrap();
    assert_eq!(entry.by_seed, BTreeMap::from([(1, 0.81), (2, 0.83)]));
    let gain = report.entry(Row::Selfie, 0.05, GAIN, None).unwrap();
    // +1 and +4 points: mean 2.5, deviations of 1.5 each.
    assert!((gain.mean - 0.025).abs() < 1e-12 && (gain.std.unwrap() - 0.021_213_203).abs() < 1e-8, "{gain:?}");
    assert!(report.entry(Row::Neighbours, 1.0, "accuracy", None).is_none());
}

#[test]
fn the_base_of_an_axis_has_the_numbers_of_the_table() {
    let report = report();
    let at = |value| report.entry(Row::Selfie, 0.05, "accuracy", Some(("masked share", value))).unwrap().mean;
    assert!((at("1/4") - 0.82).abs() < 1e-12 && (at("1/2") - 0.55).abs() < 1e-12);
    // Scratch is the same at both values, and of the neighbours nothing is there.
    assert_eq!(report.varied(&report.axes[0]), [(Row::Selfie, 0.05), (Row::Selfie, 1.0)]);
}

#[test]
fn what_an_axis_changes_is_shown_also_where_the_accuracy_stays() {
    let mut report = report();
    let base = report.entry(Row::Selfie, 0.05, "accuracy", None).unwrap().by_seed.clone();
    for entry in report.entries.iter_mut().filter(|entry| entry.value.as_deref() == Some("1/2") && entry.labels == 0.05)
    {
        entry.by_seed = if entry.metric == "accuracy" { base.clone() } else { BTreeMap::from([(1, 0.3), (2, 0.3)]) };
    }
    assert!(report.varied(&report.axes[0]).contains(&(Row::Selfie, 0.05)));
}

#[test]
fn a_report_survives_json_and_holds_nothing_that_a_second_start_would_change() {
    let report = report();
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    assert!(!text.contains("seconds") && !text.contains("out"), "{text}");
}

#[test]
fn parts_of_a_whole_have_no_more_digits_than_they_have() {
    assert_eq!([0.01, 0.125, 1.0, 0.07].map(percent), ["1 %", "12.5 %", "100 %", "7 %"]);
}
