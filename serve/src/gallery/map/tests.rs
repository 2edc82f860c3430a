use super::*;

/// Rounding of 32-bit numbers, some of them summed.
const TOLERANCE: f32 = 1e-5;

/// Two vectors for each side `s`, `s` and `-s` along a direction of its own, of length 1 by a part along one more
/// direction, and then of any length. The directions are at right angles, and none is an axis of the numbers.
fn cross(width: usize, sides: &[f64]) -> Gallery {
    let mirror: Vec<f64> = (0..width).map(|place| 1.0 + (place as f64 * 0.7).sin()).collect();
    let square: f64 = mirror.iter().map(|value| value * value).sum();
    let axis =
        |index: usize, place: usize| f64::from(u8::from(index == place)) - 2.0 * mirror[index] * mirror[place] / square;
    let row = |index: usize, side: f64, scale: f64| {
        let rest = (1.0 - side * side).sqrt();
        (0..width)
            .map(|place| ((side * axis(index, place) + rest * axis(width - 1, place)) * scale) as f32)
            .collect::<Vec<_>>()
    };
    let rows = sides.iter().enumerate().flat_map(|(index, side)| [row(index, *side, 1e-20), row(index, -side, 7.0)]);
    Gallery::of(width, rows.flatten().collect(), &[])
}

#[track_caller]
fn assert_close(found: f32, expected: f32) {
    assert!((found - expected).abs() <= TOLERANCE, "{found}, expected {expected}");
}

#[test]
fn the_two_directions_of_the_largest_variance_are_found_among_others_as_large() {
    let sides: Vec<f64> = (0..30).map(|index| 0.6 - 0.01 * index as f64).collect();
    let map = Map::of(&cross(40, &sides));
    assert_eq!((map.points.len(), map.sample), (60, 60));
    for (index, pair) in map.points.chunks(2).enumerate() {
        let expected = [[0.6, 0.0], [0.0, 0.59]].get(index).copied().unwrap_or([0.0; 2]);
        for axis in 0..2 {
            assert_close(pair[0][axis].abs(), expected[axis]);
            assert_close(pair[1][axis], -pair[0][axis]);
        }
    }
    // Along the direction that all share the parts of length 1 differ a little.
    let rests: Vec<f64> = sides.iter().map(|side| (1.0 - side * side).sqrt()).collect();
    let mean = rests.iter().sum::<f64>() / 30.0;
    let spread = rests.iter().map(|rest| (rest - mean).powi(2)).sum::<f64>() / 30.0;
    let all = sides.iter().map(|side| side * side).sum::<f64>() / 30.0 + spread;
    assert_close(map.shares[0] as f32, (0.36 / 30.0 / all) as f32);
    assert_close(map.shares[1] as f32, (0.59f64.powi(2) / 30.0 / all) as f32);
}

#[test]
fn directions_of_the_same_variance_are_both_found() {
    let map = Map::of(&cross(9, &[0.6, 0.6, 0.3]));
    for (index, point) in map.points.iter().enumerate() {
        assert_close(point[0].hypot(point[1]), if index < 4 { 0.6 } else { 0.0 });
    }
    assert_close(map.shares[0] as f32, map.shares[1] as f32);
}

#[test]
fn where_nothing_differs_everything_is_at_the_origin() {
    let equal = Map::of(&Gallery::of(3, [0.1, 0.2, 0.7].repeat(5), &[]));
    assert_eq!((&equal.points[..], equal.shares), (&[[0.0; 2]; 5][..], [0.0; 2]));
    let line = Map::of(&Gallery::of(1, vec![2.0, -5.0, 0.0], &[]));
    assert_eq!((&line.points[..], line.shares[1]), (&[[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]][..], 0.0));
    assert_close(line.shares[0] as f32, 1.0);
    let one = Map::of(&Gallery::of(2, vec![3.0, 4.0], &[]));
    assert_eq!(one.points, [[0.0; 2]]);
}

#[test]
fn a_large_gallery_is_chosen_from_evenly() {
    let sides: Vec<f64> = (0..500).map(|index| if index % 2 == 0 { 0.8 } else { 0.1 }).collect();
    let gallery = cross(501, &sides);
    let map = Map::within(&gallery, 100 * 501 + 7, 10);
    assert_eq!((map.sample, &map.rows[..]), (100, &[0, 100, 200, 300, 400, 500, 600, 700, 800, 900][..]));
    for (row, point) in map.rows.iter().zip(&map.points) {
        assert_eq!(*point, map.point(gallery.vector(*row)));
    }
    assert_eq!(even(7, 3), [0, 2, 4]);
    assert_eq!(even(5, 0), [0, 2]);
    assert_eq!(even(1, 0), [0]);
}
