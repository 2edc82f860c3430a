//! Operations at shapes and attributes nobody chose.

use burn::tensor::module::{avg_pool2d, conv_transpose2d, conv2d, interpolate, max_pool2d};
use burn::tensor::ops::{
    AvgPoolOptions, ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions, PadMode,
};
use burn::tensor::{Device, Slice, Tensor};
use proptest::prelude::*;

use crate::support::Table;

fn judge<const D: usize>(shape: [usize; D], forward: impl Fn(Tensor<D>) -> Tensor<D>) {
    let mut table = Table::default();
    table.case("drawn", shape, forward);
    table.finish();
}

/// A weight that is the same in every trace.
fn weight<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let numbers: Vec<f32> = (0..count).map(|index| ((index * 29 + 7) % 53) as f32 / 26.5 - 1.0).collect();
    Tensor::<1>::from_data(numbers.as_slice(), device).reshape(shape)
}

/// Two numbers, one an axis of an image.
fn pair(range: std::ops::Range<usize>) -> impl Strategy<Value = [usize; 2]> {
    [range.clone(), range]
}

/// A slice of an axis of this size that holds something.
fn slice(size: isize) -> impl Strategy<Value = Slice> {
    (0..size, 1..=size, prop_oneof![1..4isize, -3..0isize])
        .prop_map(move |(start, length, step)| Slice::new(start, Some((start + length).min(size)), step))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 32, ..ProptestConfig::default() })]

    #[test]
    fn convolutions(
        kernel in pair(1..4), stride in pair(1..3), begin in pair(0..3), end in pair(0..3), dilation in pair(1..3),
        groups in prop_oneof![Just(1), Just(2), Just(4)],
    ) {
        judge([2, 4, 8, 9], move |x: Tensor<4>| {
            let padding = [(begin[0], end[0]), (begin[1], end[1])];
            let options = ConvOptions { stride, padding, dilation, groups };
            conv2d(x.clone(), weight([4, 4 / groups, kernel[0], kernel[1]], &x.device()), None, options)
        });
    }

    #[test]
    fn transposed_convolutions(
        kernel in pair(1..4), stride in pair(2..4), padding in pair(0..1), out in pair(0..2), dilation in pair(1..3),
        groups in prop_oneof![Just(1), Just(2)],
    ) {
        judge([2, 4, 5, 4], move |x: Tensor<4>| {
            let options = ConvTransposeOptions::new(stride, padding, out, dilation, groups);
            conv_transpose2d(x.clone(), weight([4, 3, kernel[0], kernel[1]], &x.device()), None, options)
        });
    }

    #[test]
    fn pools(kernel in pair(2..4), stride in pair(1..4), padding in pair(0..2), dilation in pair(1..3), ceil in any::<bool>(), counted in any::<bool>()) {
        judge([2, 3, 9, 8], move |x: Tensor<4>| {
            let padding = padding.map(|size| (size, size));
            let options = MaxPoolOptions { kernel_size: kernel, stride, padding, dilation, ceil_mode: ceil };
            max_pool2d(x, options)
        });
        judge([2, 3, 9, 8], move |x: Tensor<4>| {
            let padding = padding.map(|size| (size, size));
            let options = AvgPoolOptions { kernel_size: kernel, stride, padding, count_include_pad: counted, ceil_mode: ceil };
            avg_pool2d(x, options)
        });
    }

    #[test]
    fn sizes_of_images(to in pair(1..14), align_corners in any::<bool>()) {
        for mode in [InterpolateMode::Bilinear, InterpolateMode::Bicubic] {
            judge([2, 2, 6, 7], |x: Tensor<4>| {
                let options = InterpolateOptions::new(mode.clone()).with_align_corners(align_corners);
                interpolate(x, options.with_output_size(to))
            });
        }
    }

    #[test]
    fn nearest_pixels(from in pair(1..20), to in pair(1..50)) {
        judge([2, 1, from[0], from[1]], |x: Tensor<4>| {
            interpolate(x, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(to))
        });
    }

    #[test]
    fn slices_and_writes_into_them(rows in slice(6), columns in slice(7)) {
        judge([2, 6, 7], move |x: Tensor<3>| {
            let ranges = [Slice::full(), rows, columns];
            let part = x.clone().slice(ranges) * 2;
            let written = x.exp().slice_assign(ranges, part.clone());
            Tensor::cat(vec![written.flatten::<2>(1, 2), part.flatten::<2>(1, 2)], 1).unsqueeze_dim(1)
        });
    }

    #[test]
    fn paddings(top in 0usize..3, bottom in 0usize..3, left in 0usize..3, right in 0usize..3) {
        for mode in [PadMode::Constant(0.5), PadMode::Reflect, PadMode::Edge] {
            judge([2, 2, 4, 5], |x: Tensor<4>| x.pad((left, right, top, bottom), mode));
        }
    }

    #[test]
    fn permutations_and_reshapes(order in Just([0usize, 1, 2, 3]).prop_shuffle(), width in prop_oneof![Just(2), Just(3), Just(5)]) {
        judge([2, 3, 2, 5], move |x: Tensor<4>| {
            let x = x.permute([0, 1, 2, 3].map(|axis: usize| order[axis] as isize));
            let count = x.dims().iter().product::<usize>();
            x.reshape([count / width, width, 1, 1])
        });
    }

    #[test]
    fn broadcasts(left in proptest::array::uniform3(any::<bool>()), right in proptest::array::uniform3(any::<bool>())) {
        judge([2, 3, 4, 5], move |x: Tensor<4>| {
            let [batch, ..] = x.dims();
            let cut = |keep: [bool; 3]| {
                let size = |axis: usize, full: usize| if keep[axis] { full } else { 1 };
                x.clone().slice([0..batch, 0..size(0, 3), 0..size(1, 4), 0..size(2, 5)])
            };
            cut(left) * 2 - cut(right).exp()
        });
    }
}
