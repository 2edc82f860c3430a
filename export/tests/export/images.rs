//! Layers of images: transposed, deformable and deep convolutions, pools, other sizes, samples.

use burn::tensor::module::{
    adaptive_avg_pool1d, adaptive_avg_pool3d, avg_pool1d, conv_transpose1d, conv_transpose2d, conv_transpose3d, conv3d,
    deform_conv2d, interpolate, max_pool1d, max_pool1d_with_indices, max_pool2d_with_indices, unfold4d,
};
use burn::tensor::ops::{
    AvgPoolOptions, ConvOptions, ConvTransposeOptions, DeformConvOptions, GridSampleOptions, GridSamplePaddingMode,
    InterpolateMode, InterpolateOptions, MaxPoolOptions, UnfoldOptions,
};
use burn::tensor::{Device, Tensor, TensorData};
use selfie_export::Axis;

use crate::support::{EXACT, Table, differences, export, nothing, tables};

tables!(
    transposed_convolutions,
    deep_convolutions,
    deformable_convolutions,
    pools_of_one_axis,
    indices_of_maxima,
    adaptive_pools,
    columns,
    other_sizes,
    nearest_pixels_where_scales_round,
    the_nearest_pixel_exactly,
    sizes_that_follow_the_image,
    samples,
);

/// Numbers between -1 and 1 that no two positions share.
fn ramp<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let numbers: Vec<f32> = (0..count).map(|index| ((index * 37 + 11) % 101) as f32 / 50.5 - 1.0).collect();
    Tensor::from_data(TensorData::new(numbers, shape.to_vec()), device)
}

fn transposed_convolutions(table: &mut Table) {
    for (kernel, stride, padding, padding_out, dilation, groups, bias) in [
        ([2, 2], [2, 2], [0, 0], [0, 0], [1, 1], 1, true),
        ([3, 3], [2, 2], [1, 1], [1, 1], [1, 1], 1, false),
        ([3, 2], [1, 3], [1, 0], [0, 1], [1, 1], 2, true),
        ([3, 3], [2, 1], [2, 1], [1, 0], [2, 1], 4, true),
    ] {
        let name = format!("kernel {kernel:?} stride {stride:?} dilation {dilation:?} groups {groups} bias {bias}");
        table.case(&name, [2, 4, 5, 6], move |x: Tensor<4>| {
            let device = x.device();
            let weight = ramp([4, 8 / groups, kernel[0], kernel[1]], &device);
            let bias = bias.then(|| ramp([8], &device));
            let options = ConvTransposeOptions::new(stride, padding, padding_out, dilation, groups);
            conv_transpose2d(x, weight, bias, options)
        });
    }
    table.case("one axis", [2, 4, 7], |x: Tensor<3>| {
        let weight = ramp([4, 3, 4], &x.device());
        conv_transpose1d(x, weight, None, ConvTransposeOptions::new([2], [1], [1], [1], 1))
    });
    for groups in [1, 2] {
        table.case(&format!("three axes, groups {groups}"), [2, 4, 3, 4, 5], |x: Tensor<5>| {
            let weight = ramp([4, 2, 2, 3, 2], &x.device());
            let options = ConvTransposeOptions::new([2, 1, 2], [0, 1, 0], [1, 0, 1], [1, 1, 1], groups);
            conv_transpose3d(x, weight, None, options)
        });
    }
}

fn deep_convolutions(table: &mut Table) {
    for (stride, padding, dilation, groups) in
        [([1, 1, 1], [0, 0, 0], [1, 1, 1], 1), ([2, 1, 2], [1, 1, 0], [1, 2, 1], 2)]
    {
        table.case(&format!("stride {stride:?} groups {groups}"), [2, 4, 5, 6, 5], move |x: Tensor<5>| {
            let device = x.device();
            let weight = ramp([6, 4 / groups, 3, 2, 3], &device);
            conv3d(x, weight, Some(ramp([6], &device)), ConvOptions::new(stride, padding, dilation, groups))
        });
    }
}

fn deformable_convolutions(table: &mut Table) {
    for (stride, padding, dilation, groups, offset_groups, mask) in
        [([1, 1], [1, 1], [1, 1], 1, 1, false), ([2, 1], [2, 1], [2, 1], 2, 2, true)]
    {
        let name = format!("stride {stride:?} groups {groups} mask {mask}");
        let example = Tensor::<4>::zeros([2, 4, 7, 6], &Device::flex());
        table.case_since(19, &name, example, move |x: Tensor<4>| {
            let device = x.device();
            let size =
                |axis: usize, size: usize| (size + 2 * padding[axis] - 2 * dilation[axis] - 1) / stride[axis] + 1;
            let [batch, _, height, width] = x.dims();
            let places = [size(0, height), size(1, width)];
            let field = |channels: usize| {
                let field = ramp([1, channels, places[0], places[1]], &device);
                field.expand([batch, channels, places[0], places[1]])
            };
            let offset = field(offset_groups * 18) * 1.5;
            let mask = mask.then(|| field(offset_groups * 9).abs());
            let weight = ramp([6, 4 / groups, 3, 3], &device);
            let options = DeformConvOptions::new(stride, padding, dilation, groups, offset_groups);
            deform_conv2d(x, offset, weight, mask, Some(ramp([6], &device)), options)
        });
    }
}

fn pools_of_one_axis(table: &mut Table) {
    for (kernel, stride, padding, dilation, ceil_mode) in [(2, 2, 0, 1, false), (3, 2, 1, 1, true), (3, 1, 1, 2, false)]
    {
        table.case(&format!("max {kernel} {stride} ceil {ceil_mode}"), [2, 3, 9], move |x: Tensor<3>| {
            let options = MaxPoolOptions {
                kernel_size: [kernel],
                stride: [stride],
                padding: [(padding, padding)],
                dilation: [dilation],
                ceil_mode,
            };
            max_pool1d(x, options)
        });
    }
    for (count_include_pad, ceil_mode) in [(true, false), (false, true), (true, true)] {
        table.case(
            &format!("average counted {count_include_pad} ceil {ceil_mode}"),
            [2, 3, 10],
            move |x: Tensor<3>| {
                let options =
                    AvgPoolOptions { kernel_size: [3], stride: [2], padding: [(1, 1)], count_include_pad, ceil_mode };
                avg_pool1d(x, options)
            },
        );
    }
}

fn indices_of_maxima(table: &mut Table) {
    table.case("two axes", [2, 3, 6, 7], |x: Tensor<4>| {
        let options = MaxPoolOptions {
            kernel_size: [3, 2],
            stride: [2, 2],
            padding: [(1, 1), (0, 0)],
            dilation: [1, 1],
            ceil_mode: false,
        };
        max_pool2d_with_indices(x, options)
    });
    table.case("one axis", [2, 3, 9], |x: Tensor<3>| {
        let options =
            MaxPoolOptions { kernel_size: [3], stride: [2], padding: [(1, 1)], dilation: [1], ceil_mode: false };
        max_pool1d_with_indices(x, options)
    });
}

fn adaptive_pools(table: &mut Table) {
    for size in [1, 3, 4, 9, 12] {
        table.case(&format!("one axis to {size}"), [2, 3, 9], move |x: Tensor<3>| adaptive_avg_pool1d(x, size));
    }
    for size in [[1, 1, 1], [2, 3, 2], [3, 2, 5], [4, 6, 4]] {
        table.case(&format!("three axes to {size:?}"), [2, 3, 4, 6, 5], move |x: Tensor<5>| {
            adaptive_avg_pool3d(x, size)
        });
    }
}

fn columns(table: &mut Table) {
    for (stride, padding, dilation) in [([1, 1], [0, 0], [1, 1]), ([2, 1], [1, 2], [1, 2])] {
        table.case(&format!("stride {stride:?}"), [2, 3, 6, 7], move |x: Tensor<4>| {
            unfold4d(x, [2, 3], UnfoldOptions::new(stride, padding, dilation))
        });
    }
}

fn other_sizes(table: &mut Table) {
    for mode in
        [InterpolateMode::Nearest, InterpolateMode::Bilinear, InterpolateMode::Bicubic, InterpolateMode::Lanczos3]
    {
        for align_corners in [false, true] {
            for size in [[10, 14], [7, 5], [3, 9], [5, 7]] {
                let options = InterpolateOptions::new(mode.clone()).with_align_corners(align_corners);
                let options = options.with_output_size(size);
                table.case(&format!("{mode:?} {align_corners} {size:?}"), [2, 3, 5, 7], move |x: Tensor<4>| {
                    interpolate(x, options.clone())
                });
            }
        }
    }
}

/// A scale in 32 bits gives another pixel than Burn's at these sizes.
fn nearest_pixels_where_scales_round(table: &mut Table) {
    for (from, to) in [([14, 14], [2, 16]), ([14, 3], [16, 9]), ([2, 6], [98, 4]), ([3, 14], [3, 2])] {
        table.case(&format!("{from:?} to {to:?}"), [2, 1, from[0], from[1]], move |x: Tensor<4>| {
            interpolate(x, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(to))
        });
    }
}

/// Burn's CPU device lacks the mode; the numbers are those of its definition, `⌊(i + ½) · from / to⌋`.
fn the_nearest_pixel_exactly(table: &mut Table) {
    let module = nothing();
    let device = Device::flex();
    for (from, to) in [(5, 8), (8, 5), (14, 39), (14, 5), (10, 37)] {
        let example = Tensor::<4>::zeros([1, 1, 1, from], &device);
        let compile = |opset| {
            export(&module).opset(opset).fixed_input("x", example.clone()).outputs(["y"]).compile(
                |_: &burn::nn::Relu, x: Tensor<4>| {
                    interpolate(x, InterpolateOptions::new(InterpolateMode::NearestExact).with_output_size([1, to]))
                },
            )
        };
        let input = TensorData::new((0..from).map(|index| index as f32).collect(), [1, 1, 1, from]);
        let nearest: Vec<f32> = (0..to).map(|index| ((2 * index + 1) * from / (2 * to)) as f32).collect();
        let name = format!("{from} to {to}");
        table.expect(13, &name, compile, vec![input], vec![TensorData::new(nearest, [1, 1, 1, to])]);
    }
}

fn sizes_that_follow_the_image(table: &mut Table) {
    let module = nothing();
    let device = Device::flex();
    for mode in [InterpolateMode::Nearest, InterpolateMode::Bilinear] {
        let forward = |_: &burn::nn::Relu, x: Tensor<4>| {
            let [_, _, height, width] = x.dims();
            let options = InterpolateOptions::new(mode.clone()).with_align_corners(false);
            let twice = interpolate(x.clone(), options.clone().with_scale_factor([2.0, 2.0]));
            let wider = interpolate(x.clone(), options.with_output_size([height + 1, 2 * width + 3]));
            let pooled = max_pool2d_with_indices(
                x,
                MaxPoolOptions {
                    kernel_size: [2, 2],
                    stride: [1, 1],
                    padding: [(0, 0), (0, 0)],
                    dilation: [1, 1],
                    ceil_mode: false,
                },
            );
            (twice, wider, pooled.0, pooled.1)
        };
        let model = export(&module)
            .input(
                "x",
                Tensor::<4>::zeros([2, 3, 5, 7], &device),
                [Axis::new(0, "batch"), Axis::new(2, "height"), Axis::new(3, "width")],
            )
            .outputs(["twice", "wider", "values", "indices"])
            .compile(forward);
        let sizes: &[&[(&str, usize)]] =
            &[&[("batch", 1), ("height", 4), ("width", 6)], &[("batch", 2), ("height", 9), ("width", 3)]];
        table.judge(&format!("{mode:?}"), model, |model| differences(&module, model, forward, sizes, EXACT));
    }
}

fn samples(table: &mut Table) {
    for mode in [InterpolateMode::Bilinear, InterpolateMode::Nearest] {
        for padding in [GridSamplePaddingMode::Zeros, GridSamplePaddingMode::Border, GridSamplePaddingMode::Reflection]
        {
            for align_corners in [false, true] {
                let options = GridSampleOptions { mode: mode.clone(), padding_mode: padding, align_corners };
                let name = format!("{mode:?} {padding:?} {align_corners}");
                let example = Tensor::<4>::zeros([2, 3, 5, 7], &Device::flex());
                table.case_since(16, &name, example, move |x: Tensor<4>| {
                    let batch = x.dims()[0];
                    let grid = ramp([1, 4, 6, 2], &x.device()) * 1.3;
                    x.grid_sample_2d(grid.expand([batch, 4, 6, 2]), options.clone())
                });
            }
        }
    }
}
