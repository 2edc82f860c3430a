use super::*;

fn recipe(text: &str) -> Recipe {
    Recipe::parse(&format!("name = \"test\"\n{text}"), "test").unwrap()
}

fn strings(settings: &[&str]) -> Vec<String> {
    settings.iter().map(ToString::to_string).collect()
}

#[test]
fn every_built_in_recipe_is_valid_and_carries_its_name_and_stage() {
    let mut wrong = Vec::new();
    for (name, _) in BUILTIN {
        match Recipe::open(name) {
            Ok(recipe) if recipe.name == *name && name.ends_with(&recipe.stage.to_string()) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_resolved_recipe_survives_toml() {
    let recipe = recipe("lr = 0.25\n[network]\nwidth = 4\n[augment]\nflip = true");
    assert_eq!(Recipe::parse(&recipe.to_toml().unwrap(), "again").unwrap(), recipe);
}

#[test]
fn unknown_keys_and_wrong_values_are_refused_with_their_place() {
    let cases: &[(&str, &[&str])] = &[
        ("warmup_step = 3", &["line 2", "unknown field `warmup_step`", "did you mean `warmup_steps`?"]),
        ("[network]\npatchsize = 3", &["line 3", "did you mean `network.patch_size`?"]),
        ("patch_size = 8", &["did you mean `network.patch_size`?"]),
        ("[network.pooling]\nhead = 3", &["line 3", "did you mean"]),
        ("[augment]\nflips = true", &["line 3", "did you mean `augment.flip`?"]),
        ("zzz = 3", &["unknown field `zzz`"]),
        ("batch_size = \"many\"", &["line 2", "invalid type"]),
        ("batch_size = 0", &["batch_size is 0"]),
        ("steps = 0", &["steps is 0"]),
        ("lr = -1.0", &["lr is -1"]),
        ("lr = nan", &["lr is NaN"]),
        ("steps = 5\nwarmup_steps = 6", &["warmup_steps is 6", "which is 5"]),
        ("momentum = 1.0", &["momentum is 1"]),
        ("weight_decay = -0.1", &["weight_decay"]),
        ("clip_norm = -0.1", &["clip_norm"]),
        ("stage = \"finetune\"\nlabel_fraction = 0.0", &["label_fraction is 0"]),
        ("label_fraction = 0.5", &["pretraining sees no labels"]),
        ("name = \"twice\"", &["duplicate key"]),
        ("stage = \"train\"", &["unknown variant `train`"]),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        match Recipe::parse(&format!("name = \"test\"\n{text}"), "my.toml") {
            Ok(_) => wrong.push(format!("{text:?} is accepted")),
            Err(error) => {
                let message = error.to_string();
                for part in expected.iter().chain(&["my.toml"]) {
                    if !message.contains(part) {
                        wrong.push(format!("{text:?}: {message:?} does not say {part:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_recipe_that_is_neither_built_in_nor_a_file_names_the_built_in_ones() {
    let message = Recipe::open("quickstart").unwrap_err().to_string();
    assert!(message.contains("quickstart-pretrain"), "{message}");
}

#[test]
fn settings_change_any_key_in_their_order() {
    let settings = strings(&[
        "lr=0.5",
        "steps=2",
        "warmup_steps = 1",
        "network.width=3",
        "data=idx:some/folder",
        "lr=1",
        "augment.flip=true",
    ]);
    let set = recipe("").set(&settings).unwrap();
    assert_eq!((set.lr, set.steps, set.network.width, set.augment.flip), (1.0, 2, Some(3), true));
    assert_eq!((set.warmup_steps, set.data.as_str()), (1, "idx:some/folder"));
}

#[test]
fn a_wrong_setting_is_refused_and_named() {
    let cases = [
        ("lrr=1", "did you mean `lr`?"),
        ("network.patchsize=4", "did you mean `network.patch_size`?"),
        ("batch_size=0", "batch_size is 0"),
        ("batch_size=big", "invalid type"),
        ("lr.peak=1", "`lr` is a value"),
        ("lr", "write key=value"),
        ("network=3", "invalid type"),
        ("=3", "unknown field"),
    ];
    let mut wrong = Vec::new();
    for (setting, expected) in cases {
        match recipe("").set(&strings(&["seed=4", setting])) {
            Ok(_) => wrong.push(format!("{setting} is accepted")),
            Err(error) => {
                let message = error.to_string();
                let starts = format!("--set {setting}:");
                if !message.contains(expected) || !message.starts_with(&starts) {
                    wrong.push(format!("{setting}: {message:?} does not say {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn differences_name_the_keys_and_both_values() {
    let (a, b) = (recipe("lr = 0.5"), recipe("lr = 0.25\n[network]\nwidth = 4"));
    let differences = a.differences(&b);
    let text = |name: &str, ours: &str, theirs: &str| (name.to_owned(), ours.to_owned(), theirs.to_owned());
    assert_eq!(differences, [text("lr", "0.5", "0.25"), text("network.width", "absent", "4")]);
}
