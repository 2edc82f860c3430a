//! An image as a grid of patches and back.

use burn::tensor::Tensor;

/// Cuts images into a grid of patches, row by row.
///
/// # Shapes
/// - `images`: `[batch, channels, rows * height, columns * width]` → `[batch, rows * columns, channels, height, width]`
///
/// # Panics
/// When `patch` does not divide the image; configurations are checked before.
///
/// # Source
/// Trinh et al. 2019, section 2: 8x8 patches for 32x32 images.
pub fn patchify(images: Tensor<4>, patch: [usize; 2]) -> Tensor<5> {
    let [batch, channels, height, width] = images.dims();
    let [rows, columns] = [height / patch[0], width / patch[1]];
    let grid: Tensor<6> = images.reshape([batch, channels, rows, patch[0], columns, patch[1]]);
    grid.permute([0, 2, 4, 1, 3, 5]).reshape([batch, rows * columns, channels, patch[0], patch[1]])
}

/// Puts patches back together: the inverse of [`patchify`] for a grid of `rows` rows.
///
/// # Shapes
/// - `patches`: `[batch, rows * columns, channels, height, width]` → `[batch, channels, rows * height, columns * width]`
///
/// # Panics
/// When `rows` does not divide the number of patches.
pub fn unpatchify(patches: Tensor<5>, rows: usize) -> Tensor<4> {
    let [batch, cells, channels, height, width] = patches.dims();
    let columns = cells / rows;
    let grid: Tensor<6> = patches.reshape([batch, rows, columns, channels, height, width]);
    grid.permute([0, 3, 1, 4, 2, 5]).reshape([batch, channels, rows * height, columns * width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Int};
    use proptest::prelude::*;

    fn counting(shape: [usize; 4]) -> Tensor<4> {
        let count = shape.iter().product::<usize>() as i64;
        Tensor::<1, Int>::arange(0..count, &Device::flex()).float().reshape(shape)
    }

    #[test]
    fn the_second_patch_stands_right_of_the_first() {
        let patches = patchify(counting([1, 1, 4, 4]), [2, 2]);
        let second: Tensor<1> = patches.slice([0..1, 1..2]).reshape([4]);
        assert_eq!(second.into_data().try_to_vec::<f32>().unwrap(), [2.0, 3.0, 6.0, 7.0]);
    }

    proptest! {
        #[test]
        fn unpatchify_undoes_patchify(
            batch in 1usize..3, channels in 1usize..4, rows in 1usize..5, columns in 1usize..5,
            height in 1usize..5, width in 1usize..5,
        ) {
            let images = counting([batch, channels, rows * height, columns * width]);
            let back = unpatchify(patchify(images.clone(), [height, width]), rows);
            prop_assert_eq!(images.into_data(), back.into_data());
        }
    }
}
