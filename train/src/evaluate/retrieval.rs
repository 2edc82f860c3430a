//! Retrieval: is an image of the same class among the nearest ones?

use super::nearest::nearest;
use super::outputs::Rows;
use crate::Error;
use serde::{Deserialize, Serialize};

/// Numbers of nearest images in which one of the same class is looked for.
const DEPTHS: [usize; 3] = [1, 5, 10];

/// How often the nearest images hold one of the same class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// Nearest images that are looked at.
    pub k: usize,
    /// Part of the images that have one of their class among them.
    pub recall: f64,
}

/// Recall at 1, 5 and 10: every image asks for the nearest others of the same split, by cosine of their vectors.
///
/// # Source
/// Oh Song et al. 2016: Recall@K.
pub(crate) fn recalls(vectors: &Rows, labels: &[u32]) -> Result<Vec<Recall>, Error> {
    let deepest = DEPTHS.into_iter().max().unwrap_or_default();
    // One more, for the image itself.
    let near = nearest(vectors, vectors, deepest + 1)?;
    let first: Vec<Option<usize>> = (near.iter().zip(labels).enumerate())
        .map(|(own, (near, label))| {
            let mut others = near.iter().filter(|near| near.index != own).take(deepest);
            others.position(|near| labels.get(near.index) == Some(label))
        })
        .collect();
    let recall = |k: usize| {
        let found = first.iter().filter(|place| place.is_some_and(|place| place < k)).count();
        Recall { k, recall: found as f64 / labels.len().max(1) as f64 }
    };
    Ok(DEPTHS.into_iter().map(recall).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recalls_are_those_by_hand() {
        // Directions in degrees. The nearest others of 0: 10, 25, 45; of 10: 0, 25, 45; of 25: 10, 45, 0; of 45: 25, 10, 0.
        let degrees = [0.0f32, 10.0, 25.0, 45.0];
        let values = degrees.iter().flat_map(|angle| [angle.to_radians().cos(), angle.to_radians().sin()]).collect();
        let recalls = recalls(&Rows { width: 2, values }, &[0, 1, 1, 0]).unwrap();
        // At 1 only 25 finds its class; at 5 all others are looked at, and everybody does.
        assert_eq!(recalls, [(1, 0.25), (5, 1.0), (10, 1.0)].map(|(k, recall)| Recall { k, recall }));
    }

    #[test]
    fn an_image_does_not_find_itself_though_others_are_equal() {
        let vectors = Rows { width: 2, values: [1.0, 0.0].repeat(13) };
        let mut labels = vec![1; 13];
        labels[12] = 0;
        let recalls = recalls(&vectors, &labels).unwrap();
        assert!(recalls.iter().all(|found| (found.recall - 12.0 / 13.0).abs() < 1e-12), "{recalls:?}");
    }
}
