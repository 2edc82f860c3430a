//! Images that are equal or nearly equal to an earlier one.

use super::look::{Fingerprint, Look, NEAR_BITS};
use std::collections::HashMap;

/// An image and an earlier one that it repeats, by their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Twin {
    pub image: usize,
    pub earlier: usize,
    /// Equal in every pixel, or else nearly.
    pub exact: bool,
}

/// Bands of a hash. Where two hashes differ in fewer bits than there are bands, one band at least is the same in both.
const BANDS: u32 = NEAR_BITS + 1;

/// What near images may share: a band, its bits, and the level of their brightness or the one beside it.
type Key = (u32, u64, i64);

/// Finds for every image the first equal one, or else the first near one.
pub(crate) fn twins(looks: &[Look]) -> Vec<Twin> {
    let mut known: HashMap<[u8; 32], usize> = HashMap::new();
    let mut bands: HashMap<Key, Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    for (image, look) in looks.iter().enumerate() {
        if let Some(&earlier) = known.get(&look.sha256) {
            found.push(Twin { image, earlier, exact: true });
            continue;
        }
        known.insert(look.sha256, image);
        let beside =
            keys(&look.fingerprint).flat_map(|(band, bits, level)| [-1, 0, 1].map(|step| (band, bits, level + step)));
        let candidates = beside.filter_map(|key| bands.get(&key)).flatten();
        let near = candidates.copied().filter(|&other| look.fingerprint.is_near(&looks[other].fingerprint)).min();
        match near {
            Some(earlier) => found.push(Twin { image, earlier, exact: false }),
            None => keys(&look.fingerprint).for_each(|key| bands.entry(key).or_default().push(image)),
        }
    }
    found
}

/// Every fourth bit is of one band, so that a flat border, whose bits are 0 in all images that have it, leaves each band others.
fn keys(fingerprint: &Fingerprint) -> impl Iterator<Item = Key> {
    const BAND: u64 = u64::MAX / ((1 << BANDS) - 1);
    let (hash, level) = (fingerprint.hash, fingerprint.level());
    (0..BANDS).map(move |band| (band, hash & BAND << band, level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::sample::{EntryName, Origin, Sample};
    use crate::data::store::Store;
    use image::{GrayImage, ImageFormat, Luma};
    use std::io::Cursor;
    use std::sync::Arc;

    fn look(format: ImageFormat, pixel: impl Fn(u32, u32) -> u8) -> Look {
        let mut bytes = Vec::new();
        let image = GrayImage::from_fn(64, 64, |x, y| Luma([pixel(x, y)]));
        image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        let len = bytes.len();
        let (store, name) = (Arc::new(Store::Memory(bytes)), EntryName::Row(0));
        let origin = Origin::Entry { store, offset: 0, len, name };
        Look::at(&Sample { file: "file".into(), origin, label: 0 }).unwrap()
    }

    #[test]
    fn copies_are_exact_and_recompressed_images_are_near() {
        let waves = |x: u32, y: u32| ((x * 3 + y * y / 16) % 200) as u8;
        let looks = [
            look(ImageFormat::Png, waves),
            look(ImageFormat::Png, |x, y| waves(y, x)),
            look(ImageFormat::Png, waves),
            look(ImageFormat::Jpeg, waves),
            look(ImageFormat::Png, |_, _| 10),
            look(ImageFormat::Png, |_, _| 240),
        ];
        let expected = [Twin { image: 2, earlier: 0, exact: true }, Twin { image: 3, earlier: 0, exact: false }];
        assert_eq!(twins(&looks), expected);
    }

    #[test]
    fn a_flat_border_does_not_make_every_image_a_candidate() {
        let mut random = 1u64;
        let mut noise = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        };
        let images = 2000;
        let mut sizes: HashMap<Key, usize> = HashMap::new();
        for _ in 0..images {
            // A picture of 9x8 pixels, each its own cell of the fingerprint, with a border of two pixels.
            let image = GrayImage::from_fn(9, 8, |x, y| {
                Luma([if (2..7).contains(&x) && (2..6).contains(&y) { noise() } else { 0 }])
            });
            keys(&Fingerprint::of(&image.into())).for_each(|key| *sizes.entry(key).or_default() += 1);
        }
        let largest = sizes.values().max().copied().unwrap_or_default();
        assert!(largest < images / 10, "{largest} of {images} images share a key");
    }
}
