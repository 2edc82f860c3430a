//! Images that are equal or nearly equal to an earlier one.

use super::look::{Look, NEAR_BITS};
use std::collections::HashMap;

/// An image and an earlier one that it repeats, by their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Twin {
    pub image: usize,
    pub earlier: usize,
    /// Equal in every pixel, or else nearly.
    pub exact: bool,
}

/// Bits of a band. Where two hashes differ in fewer bits than there are bands, one band at least is the same in both.
const BAND_BITS: u32 = u64::BITS / (NEAR_BITS + 1);

/// Finds for every image the first equal one, or else the first near one.
pub(crate) fn twins(looks: &[Look]) -> Vec<Twin> {
    let mut known: HashMap<[u8; 32], usize> = HashMap::new();
    let mut bands: HashMap<(u32, u64), Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    for (image, look) in looks.iter().enumerate() {
        if let Some(&earlier) = known.get(&look.sha256) {
            found.push(Twin { image, earlier, exact: true });
            continue;
        }
        known.insert(look.sha256, image);
        let keys =
            || (0..=NEAR_BITS).map(|band| (band, look.fingerprint.hash >> (band * BAND_BITS) & ((1 << BAND_BITS) - 1)));
        let candidates = keys().filter_map(|key| bands.get(&key)).flatten();
        let near = candidates.copied().find(|&other| look.fingerprint.is_near(&looks[other].fingerprint));
        match near {
            Some(earlier) => found.push(Twin { image, earlier, exact: false }),
            None => keys().for_each(|key| bands.entry(key).or_default().push(image)),
        }
    }
    found
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
}
