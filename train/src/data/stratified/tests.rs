use super::*;
use proptest::prelude::*;

#[test]
fn the_choice_stays_the_same_from_release_to_release() {
    let labels: Vec<u32> = (0..40).map(|index| index % 4).collect();
    assert_eq!(stratified(&labels, 0.25, 7).unwrap(), [1, 11, 14, 15, 16, 18, 19, 20, 32, 33, 37, 38]);
}

#[test]
fn wrong_shares_are_refused() {
    for fraction in [0.0, -0.1, 1.01, f64::NAN, f64::INFINITY] {
        let message = stratified(&[0, 1], fraction, 0).unwrap_err().to_string();
        assert!(message.contains(&fraction.to_string()), "{message}");
    }
    assert!(matches!(stratified(&[], 0.5, 0), Err(DataError::NoLabels)));
}

#[test]
fn seeds_choose_differently() {
    let labels = vec![0; 100];
    assert_ne!(stratified(&labels, 0.1, 1).unwrap(), stratified(&labels, 0.1, 2).unwrap());
}

proptest! {
    #[test]
    fn every_class_gives_its_share(labels in prop::collection::vec(0u32..6, 1..200), fraction in 0.001f64..=1.0, seed: u64) {
        let chosen = stratified(&labels, fraction, seed).unwrap();
        prop_assert!(chosen.is_sorted_by(|a, b| a < b));
        for class in 0..6 {
            let whole = labels.iter().filter(|&&label| label == class).count();
            let part = chosen.iter().filter(|&&index| labels[index] == class).count();
            let exact = whole as f64 * fraction;
            prop_assert!(part <= whole && (part > 0 || whole == 0), "class {}: {} of {}", class, part, whole);
            prop_assert!((part as f64 - exact).abs() <= 0.5 || part == 1, "class {}: {} for {}", class, part, exact);
        }
    }

    #[test]
    fn a_smaller_share_is_a_part_of_a_larger_one(
        labels in prop::collection::vec(0u32..6, 1..200), shares in (0.001f64..=1.0, 0.001f64..=1.0), seed: u64,
    ) {
        let larger = stratified(&labels, shares.0.max(shares.1), seed).unwrap();
        let smaller = stratified(&labels, shares.0.min(shares.1), seed).unwrap();
        prop_assert!(smaller.iter().all(|index| larger.binary_search(index).is_ok()));
    }

    #[test]
    fn the_whole_share_is_everything(labels in prop::collection::vec(0u32..6, 1..50), seed: u64) {
        prop_assert_eq!(stratified(&labels, 1.0, seed).unwrap(), (0..labels.len()).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_taken_out_is_a_share_of_every_class_and_the_rest_stays() {
    let labels: Vec<u32> = (0..43).map(|index| if index < 40 { index % 2 } else { index - 38 }).collect();
    let (stay, taken) = take_out(&labels, 0.25, 7);
    let of = |positions: &[usize], class: u32| positions.iter().filter(|index| labels[**index] == class).count();
    assert_eq!([of(&taken, 0), of(&taken, 1), of(&stay, 0), of(&stay, 1)], [5, 5, 15, 15]);
    // A class of one image keeps it.
    assert!([2, 3, 4].into_iter().all(|class| of(&stay, class) == 1));
    let mut all = [stay, taken].concat();
    all.sort_unstable();
    assert_eq!(all, (0..43).collect::<Vec<_>>());
    assert_eq!(take_out(&[0, 0], 0.9, 1).1.len(), 1);
    assert_ne!(take_out(&labels, 0.25, 8).1, take_out(&labels, 0.25, 7).1);
}
