//! Operations at shapes and attributes nobody chose.

use burn::module::Module;
use burn::nn::{BatchNormConfig, LayerNormConfig, LinearConfig};
use burn::tensor::activation::{leaky_relu, log_softmax, softmax};
use burn::tensor::module::{
    adaptive_avg_pool2d, attention, avg_pool2d, conv_transpose2d, conv1d, conv2d, conv3d, deform_conv2d, interpolate,
    max_pool2d, unfold4d,
};
use burn::tensor::ops::{
    AttentionModuleOptions, AvgPoolOptions, ConvOptions, ConvTransposeOptions, DeformConvOptions, GridSampleOptions,
    GridSamplePaddingMode, InterpolateMode, InterpolateOptions, MaxPoolOptions, PadMode, UnfoldOptions,
};
use burn::tensor::{Bool, Device, IndexingUpdateOp, Int, IntDType, Slice, Tensor};
use proptest::prelude::*;
use selfie_export::{DynTensor, Outputs};

use crate::support::Table;

fn judge<const D: usize, O: Outputs>(shape: [usize; D], forward: impl Fn(Tensor<D>) -> O) {
    judge_since(13, shape, forward);
}

fn judge_since<const D: usize, O: Outputs>(since: i64, shape: [usize; D], forward: impl Fn(Tensor<D>) -> O) {
    let mut table = Table::default();
    table.case_since(since, "drawn", Tensor::<D>::zeros(shape, &Device::flex()), forward);
    table.finish();
}

fn judge_layer<M: Module, const D: usize, O: Outputs>(
    layer: &M,
    shape: [usize; D],
    forward: impl Fn(&M, Tensor<D>) -> O,
) {
    let mut table = Table::default();
    table.layer("drawn", layer, shape, forward);
    table.finish();
}

fn erased<const D: usize>(tensors: impl IntoIterator<Item = Tensor<D>>) -> Vec<DynTensor> {
    tensors.into_iter().map(DynTensor::from).collect()
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
            Tensor::cat(vec![written.flatten::<2>(1, 2), part.flatten::<2>(1, 2)], 1)
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

    #[test]
    fn functions_of_each_element(shape in [1usize..5, 1..5], number in -3.0f32..3.0, whole in 2i32..5) {
        judge([2, shape[0], shape[1]], move |x: Tensor<3>| {
            let (y, positive) = (x.clone().tanh(), x.clone().abs() + 0.5);
            erased([
                x.clone() + number, x.clone() - number, x.clone() * number, x.clone() / (number.abs() + 0.1),
                x.clone().clamp(-number.abs(), number.abs() / 2.0), positive.clone().powf_scalar(number),
                x.clone().powi_scalar(whole), positive.clone().powf(y.clone()), leaky_relu(x.clone(), number.into()),
                positive.clone().log(), positive.sqrt(), (x.clone() * 9).round(), x.clone().exp(), x.clone().erf(),
                x.clone().atan2(y.clone() + 2), x.clone().greater_elem(number).float(), x.clone().lower(y.clone()).float(),
                x.clone().mask_fill(y.lower_elem(number), number), x.remainder_scalar(number.abs() + 0.3),
            ])
        });
    }

    #[test]
    fn functions_of_an_axis(shape in [1usize..5, 1..5], axis in 0usize..3) {
        judge([2, shape[0], shape[1]], move |x: Tensor<3>| {
            let mask: Tensor<3, Bool> = x.clone().greater_elem(0.2);
            let floats = erased([
                x.clone().sum_dim(axis), x.clone().mean_dim(axis), x.clone().prod_dim(axis), x.clone().max_dim(axis),
                x.clone().min_dim(axis), x.clone().max_abs_dim(axis), x.clone().cumsum(axis), x.clone().cumprod(axis),
                x.clone().cummin(axis), x.clone().cummax(axis), softmax(x.clone(), axis), log_softmax(x.clone(), axis),
                x.clone().flip([axis]), x.clone().repeat_dim(axis, 3), Tensor::cat(vec![x.clone(), x.clone().exp()], axis),
            ]);
            let places = [x.clone().argmax(axis), x.argmin(axis)].map(DynTensor::from);
            let truths = [mask.clone().all_dim(axis), mask.any_dim(axis)].map(DynTensor::from);
            floats.into_iter().chain(places).chain(truths).collect::<Vec<_>>()
        });
    }

    #[test]
    fn reads_and_writes_by_index(shape in [2usize..6, 2..6], axis in 1usize..3, chosen in proptest::collection::vec(0i64..2, 1..4)) {
        judge([2, shape[0], shape[1]], move |x: Tensor<3>| {
            let order = x.clone().argsort(axis);
            let rows = Tensor::<1, Int>::from_data(chosen.as_slice(), &x.device());
            let (most, places) = x.clone().topk_with_indices(2, axis);
            let floats = erased([
                x.clone().sort(axis), most, x.clone().gather(axis, order.clone()), x.clone().select(axis, rows),
                x.clone().exp().scatter(axis, order.clone(), x, IndexingUpdateOp::Assign),
            ]);
            floats.into_iter().chain([order, places].map(DynTensor::from)).collect::<Vec<_>>()
        });
    }

    #[test]
    fn products_of_matrices(rows in 1usize..5, depth in 1usize..5, columns in 1usize..5, wide in any::<bool>(), bias in any::<bool>()) {
        let heads = if wide { 3 } else { 1 };
        judge([2, 3, rows, depth], move |x: Tensor<4>| {
            let other = weight([1, heads, depth, columns], &x.device());
            (x.clone().matmul(other), x.clone().matmul(x.transpose()))
        });
        let linear = LinearConfig::new(depth, columns).with_bias(bias).init(&Device::flex());
        judge_layer(&linear, [2, 3, rows, depth], |linear, x: Tensor<4>| linear.forward(x));
    }

    #[test]
    fn normalisations(channels in 1usize..6, width in 2usize..6, epsilon in prop_oneof![Just(1e-5), Just(1e-3)]) {
        let device = Device::flex();
        let layer = LayerNormConfig::new(width).with_epsilon(epsilon).init(&device);
        let batch = BatchNormConfig::new(channels).with_epsilon(epsilon).init(&device);
        judge_layer(&layer, [2, channels, 3, width], |layer, x: Tensor<4>| layer.forward(x));
        judge_layer(&batch, [2, channels, 3, width], |batch, x: Tensor<4>| batch.forward(x));
    }

    #[test]
    fn convolutions_of_one_and_three_axes(kernel in 1usize..4, stride in 1usize..3, padding in 0usize..3, dilation in 1usize..3, groups in 1usize..3) {
        judge([2, 4, 9], move |x: Tensor<3>| {
            let options = ConvOptions::new([stride], [padding], [dilation], groups);
            conv1d(x.clone(), weight([2, 4 / groups, kernel], &x.device()), None, options)
        });
        judge([2, 4, 6, 7, 5], move |x: Tensor<5>| {
            let options = ConvOptions::new([stride, 1, 2], [padding, 1, 0], [dilation, 1, 1], groups);
            conv3d(x.clone(), weight([2, 4 / groups, kernel, 2, 3], &x.device()), None, options)
        });
    }

    #[test]
    fn deformable_convolutions(kernel in pair(1..4), stride in pair(1..3), padding in pair(0..2), groups in 1usize..3, masked in any::<bool>()) {
        let places = [0, 1].map(|axis: usize| (7 - axis + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1);
        judge_since(19, [2, 4, 7, 6], move |x: Tensor<4>| {
            let (device, [batch, ..]) = (x.device(), x.dims());
            let count = kernel[0] * kernel[1];
            let field = |channels| weight([1, channels, places[0], places[1]], &device).repeat_dim(0, batch);
            let options = DeformConvOptions::new(stride, padding, [1, 1], groups, 1);
            let mask = masked.then(|| field(count).abs());
            deform_conv2d(x, field(2 * count), weight([2, 4 / groups, kernel[0], kernel[1]], &device), mask, None, options)
        });
    }

    #[test]
    fn pools_to_a_size(from in pair(1..12), to in pair(1..9)) {
        judge([2, 2, from[0], from[1]], move |x: Tensor<4>| adaptive_avg_pool2d(x, to));
    }

    #[test]
    fn windows(size in 1usize..5, step in 1usize..4, kernel in pair(1..4), stride in pair(1..3), padding in pair(0..2)) {
        judge([2, 2, 6, 7], move |x: Tensor<4>| {
            let options = UnfoldOptions::new(stride, padding, [1, 1]);
            (x.clone().unfold::<5, _>(3, size, step), unfold4d(x, kernel, options))
        });
    }

    #[test]
    fn attentions(queries in 1usize..5, keys in 1usize..5, width in 1usize..5, scale in proptest::option::of(0.1f64..1.0), softcap in proptest::option::of(0.5f64..2.0), masked in any::<bool>(), causal in any::<bool>()) {
        judge([2, 3, queries, width], move |x: Tensor<4>| {
            let [batch, ..] = x.dims();
            let others = weight([1, 3, keys, width], &x.device()).repeat_dim(0, batch);
            let bias = x.clone().matmul(others.clone().transpose());
            // The first key stays visible: no position has a softmax of nothing.
            let first = Tensor::<1, Int>::arange(0..keys as i64, &x.device()).reshape([1, 1, 1, keys]).greater_elem(0);
            let mask = masked.then(|| bias.clone().greater_elem(0.1).bool_and(first.expand([batch, 3, queries, keys])));
            let options = AttentionModuleOptions { scale, softcap, is_causal: causal };
            attention(x, others.clone(), others.exp(), mask, Some(bias), options)
        });
    }

    #[test]
    fn samples(size in pair(2..7), places in pair(1..5), nearest in any::<bool>(), border in 0usize..3, align_corners in any::<bool>()) {
        let mode = if nearest { InterpolateMode::Nearest } else { InterpolateMode::Bilinear };
        let padding_mode = [GridSamplePaddingMode::Zeros, GridSamplePaddingMode::Border, GridSamplePaddingMode::Reflection][border];
        judge_since(16, [2, 2, size[0], size[1]], move |x: Tensor<4>| {
            let grid = weight([1, places[0], places[1], 2], &x.device()) * 1.37;
            let options = GridSampleOptions { mode: mode.clone(), padding_mode, align_corners };
            x.clone().grid_sample_2d(grid.repeat_dim(0, x.dims()[0]), options)
        });
    }

    #[test]
    fn integers(shape in [1usize..5, 1..5], number in 1i32..40, amount in 0i32..5) {
        judge_since(18, [2, shape[0], shape[1]], move |x: Tensor<3>| {
            // 64 bits are sizes to tract, which has fewer functions for these.
            let [a, b] = [x.clone() * 90, x.flip([2]) * 50].map(|x| x.int().cast(IntDType::I32));
            let integers = [
                a.clone() + number, a.clone() * b.clone(), a.clone() / number, a.clone().remainder_scalar(number),
                a.clone().bitwise_and(b.clone()), a.clone().bitwise_or_scalar(number), a.clone().bitwise_xor(b.clone()),
                a.clone().abs().bitwise_left_shift_scalar(amount), a.clone().bitwise_right_shift_scalar(amount),
                a.clone().mask_where(a.clone().lower(b.clone()), b), a.sign(),
            ];
            integers.into_iter().map(DynTensor::from).collect::<Vec<_>>()
        });
    }
}
