use super::*;
use serde::Deserialize;

/// What Pillow made of a picture; `tests/python/make_augment.py` writes the table.
#[derive(Deserialize)]
struct Line {
    operation: String,
    numbers: Vec<f64>,
    shape: [usize; 3],
    output: String,
}

/// One line of the table with its picture.
pub(super) struct Case {
    pub numbers: Vec<f64>,
    pub input: Picture,
    pub output: Vec<u8>,
}

/// All that Pillow did under a name.
pub(super) fn pillow(operation: &str) -> Vec<Case> {
    let lines = include_str!("pillow.jsonl").lines().map(|line| serde_json::from_str::<Line>(line).unwrap());
    let hex =
        |text: &str| (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    lines
        .filter(|line| line.operation == operation)
        .map(|line| {
            let [channels, height, width] = line.shape;
            Case { numbers: line.numbers, input: noise(channels, height, width), output: hex(&line.output) }
        })
        .collect()
}

/// A picture of bytes that look random: the square of the place, spread out.
pub(super) fn noise(channels: usize, height: usize, width: usize) -> Picture {
    let byte = |place: usize| ((place * place * 7919 + place * 104_729 + 12_345) >> 7) as u8;
    Picture { channels, height, width, bytes: (0..channels * height * width).map(byte).collect() }
}

/// Places of images in a run.
pub(super) fn slots(count: u64) -> Vec<Slot> {
    (0..count).map(|slot| Slot { seed: 3, step: slot / 64, slot: slot % 64 }).collect()
}

#[test]
fn no_augmentation_changes_nothing() {
    for slot in slots(20) {
        let (mut picture, mut numbers) = (noise(3, 5, 4), vec![1.5; 60]);
        let augment = Augment::default();
        augment.change(slot, &mut picture).unwrap();
        augment.change_numbers(slot, &mut numbers, [3, 5, 4]);
        assert_eq!((picture, &numbers), (noise(3, 5, 4), &vec![1.5; 60]));
        assert_eq!(augment.mix(slot, &mut numbers, &[1], [3, 5, 4]), None);
    }
    assert!(!Augment::default().is_mixing());
}

#[test]
fn a_change_is_the_same_again_and_leaves_the_others_alone() {
    let full = Augment {
        crop_padding: 2,
        flip: true,
        resized_crop: ResizedCrop { probability: 0.5, ..ResizedCrop::default() },
        rand_augment: RandAugment { operations: 2, magnitude: 15 },
        color_jitter: ColorJitter { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
        grayscale: Grayscale { probability: 0.2 },
        ..Augment::default()
    };
    let changed = |augment: Augment, slot: Slot| {
        let mut picture = noise(3, 12, 10);
        augment.change(slot, &mut picture).unwrap();
        picture
    };
    let all: Vec<Picture> = slots(64).into_iter().map(|slot| changed(full, slot)).collect();
    for (slot, before) in slots(64).into_iter().zip(&all).rev() {
        assert_eq!(changed(full, slot), *before);
    }
    // Without grey images those that were not grey are the same as before.
    let coloured = Augment { grayscale: Grayscale::default(), ..full };
    let same = slots(64).into_iter().zip(&all).filter(|(slot, before)| changed(coloured, *slot) == **before).count();
    assert!((40..64).contains(&same), "{same} of 64");
}

#[test]
fn unknown_settings_and_impossible_numbers_are_refused_with_their_key() {
    let message = serde_json::from_str::<Augment>("{\"crop\": 4}").unwrap_err().to_string();
    assert!(message.contains("crop_padding"), "{message}");
    let cases = [
        (r#"{"mixup": -1.0}"#, "augment.mixup is -1"),
        (r#"{"resized_crop": {"probability": 1.5}}"#, "augment.resized_crop.probability is 1.5"),
        (r#"{"resized_crop": {"scale": [0.5, 0.1]}}"#, "augment.resized_crop.scale is [0.5, 0.1]"),
        (r#"{"resized_crop": {"scale": [0.5, 1.1]}}"#, "at most 1"),
        (r#"{"rand_augment": {"magnitude": 31}}"#, "augment.rand_augment.magnitude is 31"),
        (r#"{"color_jitter": {"hue": 0.6}}"#, "augment.color_jitter.hue is 0.6"),
        (r#"{"color_jitter": {"contrast": -0.6}}"#, "augment.color_jitter.contrast is -0.6"),
        (r#"{"grayscale": {"probability": 2.0}}"#, "augment.grayscale.probability is 2"),
        (r#"{"random_erasing": {"ratio": [0.0, 1.0]}}"#, "augment.random_erasing.ratio is [0, 1]"),
    ];
    let found = cases.map(|(text, expected)| (serde_json::from_str::<Augment>(text).unwrap().check(), expected));
    let wrong: Vec<_> = found
        .iter()
        .filter(|(found, expected)| !found.as_ref().is_err_and(|message| message.contains(expected)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(Augment::default().check(), Ok(()));
}
