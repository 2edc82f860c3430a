use super::*;
use crate::data::normalise::Tables;
use proptest::prelude::*;

/// The definition, written out: pad, cut, flip, normalise.
fn reference(augment: Augment, draw: Draw, plane: &[u8], width: usize, table: &[f32; 256]) -> Vec<f32> {
    let (height, padding) = (plane.len() / width, augment.crop_padding);
    let (padded_height, padded_width) = (height + 2 * padding, width + 2 * padding);
    let mut padded = vec![0; padded_height * padded_width];
    for row in 0..height {
        for column in 0..width {
            padded[(row + padding) * padded_width + column + padding] = plane[row * width + column];
        }
    }
    let mut values = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let column = if draw.flip { width - 1 - column } else { column };
            values.push(table[usize::from(padded[(row + draw.top) * padded_width + column + draw.left])]);
        }
    }
    values
}

#[test]
fn draws_stay_in_bounds_and_reach_them() {
    let augment = Augment { crop_padding: 2, flip: true };
    let draws: Vec<Draw> = (0..4000).map(|slot| augment.draw(3, slot / 64, slot % 64)).collect();
    for value in 0..=4 {
        let tops = draws.iter().filter(|draw| draw.top == value).count();
        let lefts = draws.iter().filter(|draw| draw.left == value).count();
        assert!((650..950).contains(&tops) && (650..950).contains(&lefts), "{value}: {tops} {lefts}");
    }
    assert!(draws.iter().all(|draw| draw.top <= 4 && draw.left <= 4));
    let flips = draws.iter().filter(|draw| draw.flip).count();
    assert!((1800..2200).contains(&flips), "{flips} of 4000");
}

#[test]
fn no_augmentation_changes_nothing() {
    let table = &Tables::new(&[0.3], &[0.2]);
    let plane: Vec<u8> = (0..64).collect();
    for slot in 0..20 {
        let augment = Augment::default();
        let draw = augment.draw(1, 5, slot);
        assert_eq!(draw, Draw { top: 0, left: 0, flip: false });
        let (mut augmented, mut plain) = (Vec::new(), Vec::new());
        augment.append_plane(draw, &plane, 8, &table.channels()[0], &mut augmented);
        table.append(&plane, &mut plain);
        assert_eq!(augmented, plain);
    }
}

#[test]
fn draws_stay_the_same_from_release_to_release() {
    // A run that resumes after an update of the crate relies on these numbers.
    let augment = Augment { crop_padding: 4, flip: true };
    let draws = [(0, 0), (0, 1), (1, 0)].map(|(step, slot)| augment.draw(42, step, slot));
    let draw = |top, left, flip| Draw { top, left, flip };
    assert_eq!(draws, [draw(2, 3, true), draw(5, 3, false), draw(6, 3, true)]);
}

#[test]
fn flip_leaves_the_crop_alone() {
    let draw = |flip| Augment { crop_padding: 4, flip }.draw(9, 1, 2);
    assert_eq!((draw(true).top, draw(true).left), (draw(false).top, draw(false).left));
}

#[test]
fn unknown_settings_are_refused() {
    assert_eq!(serde_json::from_str::<Augment>("{\"flip\": true}").unwrap(), Augment { crop_padding: 0, flip: true });
    let message = serde_json::from_str::<Augment>("{\"crop\": 4}").unwrap_err().to_string();
    assert!(message.contains("crop_padding"), "{message}");
}

proptest! {
    #[test]
    fn one_pass_equals_pad_cut_flip_normalise(
        height in 1usize..7, width in 1usize..7, crop_padding in 0usize..9, flip: bool, seed: u64, pixel: u8,
    ) {
        let plane: Vec<u8> = (0..height * width).map(|index| (index as u8).wrapping_mul(37) ^ pixel).collect();
        let tables = Tables::new(&[0.4], &[0.3]);
        let augment = Augment { crop_padding, flip };
        let draw = augment.draw(seed, 0, 0);
        let mut values = Vec::new();
        augment.append_plane(draw, &plane, width, &tables.channels()[0], &mut values);
        prop_assert_eq!(values, reference(augment, draw, &plane, width, &tables.channels()[0]));
    }
}
