//! CutMix: a rectangle of another image.
//!
//! # Source
//! Yun et al. 2019, "CutMix".

use super::mix::Mixing;
use rand::RngExt;

pub(super) const MIXING: Mixing = Mixing {
    alpha: |augment| augment.cutmix,
    apply: |share, random, images, partners, [_, height, width]| {
        let half = 0.5 * (1.0 - share).sqrt();
        // The rectangle lies around a random pixel, and what is outside of the image is lost.
        let mut side = |length: usize| {
            let (centre, half) = (random.random_range(0..length as u64) as usize, (half * length as f64) as usize);
            centre.saturating_sub(half)..(centre + half).min(length)
        };
        let (columns, rows) = (side(width), side(height));
        for (plane, partner) in images.chunks_exact_mut(height * width).zip(partners.chunks_exact(height * width)) {
            for row in rows.clone() {
                let place = row * width + columns.start..row * width + columns.end;
                plane[place.clone()].copy_from_slice(&partner[place]);
            }
        }
        1.0 - (rows.len() * columns.len()) as f64 / (height * width) as f64
    },
};
