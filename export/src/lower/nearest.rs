//! Which pixel of an axis the nearest one is.
//!
//! Burn finds it by the sizes themselves, runtimes by their quotient in 32 bits: beside a border they may take the
//! neighbour.

/// The pixels that Burn takes: `⌊i · from / to⌋` in the 64-bit numbers of its CPU device, or from the middle of a pixel
/// `⌊(i + ½) · from / to⌋`, which that device lacks, without rounding.
pub(super) fn pixels(from: usize, to: usize, middle: bool) -> Vec<i64> {
    let ratio = from as f64 / to as f64;
    let pixel = |index: usize| match middle {
        true => (2 * index + 1) * from / (2 * to),
        false => (index as f64 * ratio).floor() as usize,
    };
    (0..to).map(|index| pixel(index).min(from.saturating_sub(1)) as i64).collect()
}

/// Whether `Resize` takes these pixels wherever it runs: runtimes divide by the scale or multiply by its inverse, in 32
/// or 64 bits.
pub(super) fn everywhere(from: usize, to: usize, middle: bool) -> bool {
    let scale = to as f32 / from as f32;
    let (inverse, wide) = (1.0 / scale, f64::from(scale));
    let last = from.saturating_sub(1) as f64;
    let narrow = |place: f32| f64::from(if middle { (place - 0.5).round() } else { place.floor() });
    let broad = |place: f64| if middle { (place - 0.5).round() } else { place.floor() };
    pixels(from, to, middle).into_iter().enumerate().all(|(index, pixel)| {
        let offset = if middle { 0.5 } else { 0.0 };
        let (short, long) = (index as f32 + offset, index as f64 + f64::from(offset));
        let found = [narrow(short / scale), narrow(short * inverse), broad(long / wide)];
        found.iter().all(|found| found.clamp(0.0, last) as i64 == pixel)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_those_of_the_definition() {
        assert_eq!(pixels(5, 8, false), [0, 0, 1, 1, 2, 3, 3, 4]);
        assert_eq!(pixels(5, 8, true), [0, 0, 1, 2, 2, 3, 4, 4]);
        assert_eq!(pixels(5, 2, false), [0, 2]);
    }

    #[test]
    fn sizes_whose_scale_rounds_to_another_pixel_are_known() {
        let cases = [
            (5, 10, false, true),
            (5, 8, true, true),
            (8, 4, false, true),
            (14, 16, false, false),
            (14, 2, false, false),
            (2, 98, false, false),
            (14, 39, true, false),
        ];
        let other = |(from, to, middle, same): &&(usize, usize, bool, bool)| everywhere(*from, *to, *middle) != *same;
        let wrong: Vec<_> = cases.iter().filter(other).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
