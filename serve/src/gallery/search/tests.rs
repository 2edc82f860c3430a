use super::*;
use proptest::prelude::*;

/// Every row, scored and sorted in 64-bit floats.
fn all(gallery: &Gallery, query: &[f32]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = (0..gallery.len()).map(|row| Hit { row, score: gallery.cosine(query, row) }).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
    hits
}

#[test]
fn the_nearest_come_first_and_equal_ones_in_their_order() {
    let gallery = Gallery::of(2, vec![0.0, 2.0, 3.0, 0.0, -1.0, 0.0, 5.0, 0.0, 0.0, 0.0], &[]);
    let found = gallery.search(&[vec![0.5, 0.0]], 10, None).remove(0);
    let rows: Vec<(usize, f64)> = found.iter().map(|hit| (hit.row, hit.score)).collect();
    assert_eq!(rows, [(1, 1.0), (3, 1.0), (0, 0.0), (4, 0.0), (2, -1.0)]);
    assert_eq!(gallery.search(&[vec![0.5, 0.0]], 1, None)[0][0].row, 1);
}

#[test]
fn a_label_leaves_out_the_others() {
    let gallery = Gallery::of(1, vec![1.0, 2.0, 3.0, 4.0, 5.0], &["a", "b"]);
    let rows = |labels: &[&str]| {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        let found = gallery.search(&[vec![1.0]], 9, Some(&labels));
        found[0].iter().map(|hit| hit.row).collect::<Vec<_>>()
    };
    assert_eq!(rows(&["b"]), [1, 3]);
    assert_eq!(rows(&["a", "b"]), [0, 1, 2, 3, 4]);
    assert!(rows(&["c"]).is_empty() && rows(&[]).is_empty());
}

#[test]
fn vectors_of_extreme_lengths_are_compared_as_well() {
    let gallery = Gallery::of(2, vec![1e-30, 0.0, 1e30, 1e30, 0.0, 1e-40, 1.0, 0.1], &[]);
    let rows: Vec<usize> = gallery.search(&[vec![1e-25, 0.0]], 4, None)[0].iter().map(|hit| hit.row).collect();
    assert_eq!(rows, [0, 3, 1, 2]);
}

proptest! {
    #[test]
    fn a_search_is_a_sort_of_everything(
        rows in 1usize..700,
        width in 1usize..40,
        k in 1usize..50,
        seed in any::<u64>(),
        steps in prop_oneof![Just(2u64), Just(1 << 20)],
    ) {
        // Few steps make many ties.
        let number = |index: u64| {
            let mixed = (index ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            ((mixed >> 40) % steps) as f32 / steps as f32 - 0.4
        };
        let gallery = Gallery::of(width, (0..(rows * width) as u64).map(number).collect(), &[]);
        let queries: Vec<Vec<f32>> =
            (0..20).map(|query| (0..width as u64).map(|index| number(index + (query + 1) * 7919)).collect()).collect();
        let found = gallery.search(&queries, k, None);
        prop_assert_eq!(found.len(), queries.len());
        for (found, query) in found.iter().zip(&queries) {
            let mut expected = all(&gallery, query);
            expected.truncate(k);
            prop_assert_eq!(found, &expected);
        }
    }
}
