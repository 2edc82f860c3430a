//! Figures of two programs that were timed in turn, on a machine that others use as well.

/// The middle of some numbers.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        len if len.is_multiple_of(2) => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

/// The middle of the ratios `theirs / ours` of runs next to each other, and an interval that holds the true one 19 times in 20:
/// ranks of a sorted list, so whatever the noise looks like.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> (f64, [f64; 2]) {
    let mut ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours).collect();
    ratios.sort_by(f64::total_cmp);
    let count = ratios.len() as f64;
    let low = ((count - 1.96 * count.sqrt()) / 2.0).max(0.0) as usize;
    let ends = [ratios.get(low), ratios.iter().rev().nth(low)];
    (median(&ratios), ends.map(|end| end.copied().unwrap_or(f64::NAN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_lies_in_its_interval_which_narrows_with_more_runs() {
        let theirs = |count: i32| (0..count).map(|run| 2.0 + f64::from(run * 7 % 11) / 10.0).collect::<Vec<_>>();
        let width = |count| {
            let (middle, [low, high]) = ratio(&vec![1.0; count as usize], &theirs(count));
            assert!(low <= middle && middle <= high, "{low} {middle} {high}");
            high - low
        };
        assert_eq!(ratio(&[2.0], &[3.0]), (1.5, [1.5, 1.5]));
        assert_eq!(ratio(&[1.0; 11], &theirs(11)), (2.5, [2.2, 2.8]));
        assert!(width(400) < width(40) && width(40) < width(4));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!([median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])], [2.0, 2.5]);
        assert!(median(&[]).is_nan());
    }
}
