use super::*;
use crate::data::{self, Dataset};
use crate::table::{AxisValue, TABLES};
use std::collections::BTreeSet;

fn options(recipe: &str, set: &[&str]) -> TableOptions {
    TableOptions {
        recipe: recipe.into(),
        set: set.iter().map(ToString::to_string).collect(),
        data: Some("fashion-mnist-sample".into()),
        seeds: Some(2),
        only: Vec::new(),
        out: "out".into(),
        device: "cpu".into(),
        quiet: true,
    }
}

fn folders(plan: &Plan<'_>) -> Vec<String> {
    plan.cells().iter().map(|cell| cell.folder().display().to_string()).collect()
}

#[test]
fn the_built_in_tables_fit_together() {
    let small = data::open("fashion-mnist-sample").unwrap();
    for (name, _) in TABLES {
        let side = if name.contains("224") { 224 } else { 32 };
        let dataset = Dataset { height: side, width: side, ..small.clone() };
        let options = options(name, &[]);
        let plan = Plan::new(&options).unwrap();
        plan.check(&dataset).unwrap();
        let folders = folders(&plan);
        assert_eq!(folders.iter().collect::<BTreeSet<_>>().len(), folders.len(), "{name}: {folders:?}");
    }
}

#[test]
fn a_table_has_every_row_of_every_part_and_seed_and_shares_embeddings() {
    let options = options("fashion-mnist-table", &[]);
    let folders = folders(&Plan::new(&options).unwrap());
    assert_eq!(folders.len(), 2 * 4 * 6);
    assert_eq!(folders[0], "seed-1/probe-labels-0.01");
    assert!(folders[..8].iter().all(|folder| !folder.contains("untrained")), "{folders:?}");
    assert!(folders[8..16].iter().all(|folder| folder.contains("untrained")), "{folders:?}");
    assert_eq!(folders[16..18], ["seed-1/selfie-labels-0.01", "seed-1/scratch-labels-0.01"]);
}

#[test]
fn an_axis_repeats_only_what_it_changes() {
    let options = options("fashion-mnist-ablations", &[]);
    let plan = Plan::new(&options).unwrap();
    let first: Vec<String> = folders(&plan).into_iter().filter(|folder| folder.starts_with("seed-1")).collect();
    let pretrained = ["", "masked-share-of-the-patches-1-8/", "masked-share-of-the-patches-3-8/"];
    let others = ["positions-on-the-encoder-s-inputs-no/", "attention-pooling-as-the-last-layer-yes/"];
    for folder in pretrained.iter().chain(&others) {
        for row in ["neighbours-labels-1", "selfie-labels-0.05"] {
            assert!(first.contains(&format!("seed-1/{folder}{row}")), "{folder}{row}: {first:?}");
        }
    }
    // What leaves pretraining alone starts from that of the base.
    for (axis, rows) in [
        ("augmentation-none", &["selfie-labels-0.05"][..]),
        ("batch-norm-statistics-estimated-anew-yes", &["neighbours-labels-1", "selfie-labels-0.05"]),
    ] {
        let prefix = format!("seed-1/{axis}/");
        let found: Vec<&str> = first.iter().filter_map(|folder| folder.strip_prefix(&prefix)).collect();
        assert_eq!(found, rows, "{axis}");
        let cells = plan.cells();
        for cell in cells.iter().filter(|cell| cell.folder().starts_with(&prefix)) {
            assert_eq!(plan.pretraining(*cell).out, Path::new("out/seed-1/pretrain"), "{axis}");
        }
    }
    let pretrainings: BTreeSet<PathBuf> = plan.cells().iter().map(|cell| plan.pretraining(*cell).out).collect();
    let own = |value: &&AxisValue| !value.pretrain.is_empty();
    let values = plan.recipe.axes.iter().flat_map(|axis| &axis.values).filter(own).count();
    assert_eq!(pretrainings.len(), 2 * (1 + values));
    // Every axis has the base of the table among its values.
    for (index, axis) in plan.recipe.axes.iter().enumerate() {
        let is_base = |value: usize| plan.variant(index, value).unwrap().folder.is_empty();
        assert_eq!((0..axis.values.len()).filter(|value| is_base(*value)).count(), 1, "{}", axis.name);
    }
}

#[test]
fn what_is_typed_wins_and_reaches_the_stage_it_names() {
    let set = ["network.width=8", "pretrain.steps=300", "finetune.steps=400", "finetune.lr=0.5"];
    let options = options("fashion-mnist-table", &set);
    let plan = Plan::new(&options).unwrap();
    let [pretrain, finetune] = plan.recipes(plan.cells()[0]).unwrap();
    assert_eq!((pretrain.steps, pretrain.network.width, pretrain.lr), (300, Some(8), 0.1));
    assert_eq!((finetune.steps, finetune.network.width, finetune.lr), (400, Some(8), 0.5));
    assert_eq!((finetune.label_fraction, finetune.batch_size), (0.01, 64));
}

#[test]
fn what_cannot_be_trained_is_refused_before_anything_is() {
    let dataset = data::open("fashion-mnist-sample").unwrap();
    let cases = [
        ("pretrain.lrr=1", "did you mean `lr`?"),
        ("finetune.network.width=8", "its patch network is"),
        ("network.patch_size=5", "patch_size 5 does not divide"),
    ];
    for (setting, expected) in cases {
        let options = options("fashion-mnist-table", &[setting]);
        let message = Plan::new(&options).unwrap().check(&dataset).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("fashion-mnist-table"), "{setting}: {message}");
    }
}
