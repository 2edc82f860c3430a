//! Functions of numbers that ONNX has no operator for, and those along an axis.

use burn::nn::Relu;
use burn::tensor::activation::{log_sigmoid, prelu, softmin};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::support::{Table, export, nothing, tables};

tables!(
    trigonometry,
    rounding_and_remainders,
    exact_near_zero,
    special_values,
    edges_of_angles,
    running,
    sorting,
    activations,
    truth,
);

fn trigonometry(table: &mut Table) {
    type Function = fn(Tensor<2>) -> Tensor<2>;
    let functions: [(&str, Function); 9] = [
        ("acos", |x| x.acos()),
        ("asin", |x| x.asin()),
        ("atan", |x| x.atan()),
        ("cosh", |x| x.cosh()),
        ("sinh", |x| x.sinh()),
        ("acosh", |x| (x + 3).acosh()),
        ("asinh", |x| (x * 3).asinh()),
        ("atanh", |x| (x * 0.9).atanh()),
        ("hypot", |x| x.clone().hypot(x.flip([1]))),
    ];
    for (name, function) in functions {
        table.case(name, [2, 6], function);
    }
    table.case("angles of every quadrant", [2, 6], |x: Tensor<2>| {
        let (flipped, row) = (x.clone().flip([1]), x.clone().slice([0..1, 0..6]));
        (x.clone().atan2(flipped), x.clone().atan2(row.clone()), row.atan2(x))
    });
    table.case("cross products", [2, 3, 4], |x: Tensor<3>| {
        let other = x.clone().flip([1]).exp();
        (x.clone().cross(other.clone(), 1), x.swap_dims(1, 2).cross(other.swap_dims(1, 2), 2))
    });
}

fn rounding_and_remainders(table: &mut Table) {
    table.case("truncation", [2, 6], |x: Tensor<2>| (x * 5).trunc());
    table.case("remainders", [2, 6], |x: Tensor<2>| {
        let divisor = x.clone().flip([1]) * 3;
        ((x.clone() * 10).remainder(divisor), (x.clone() * 10).remainder_scalar(1.5), (x * 10).remainder_scalar(-1.5))
    });
    table.beyond_tract("its 64-bit remainder keeps the sign of the dividend").case(
        "remainders of integers",
        [2, 6],
        |x: Tensor<2>| {
            let (dividend, divisor) = ((x.clone() * 50).int(), (x * 5).int() * 2 + 1);
            (dividend.clone().remainder(divisor), dividend.clone().remainder_scalar(7), dividend.remainder_scalar(-7))
        },
    );
}

fn exact_near_zero(table: &mut Table) {
    table.case("log1p", [2, 6], |x: Tensor<2>| {
        // Scaled back, so that an error in the last places of a small number shows.
        let small = (x.clone() * 1e-6).log1p() * 1e6;
        ((x.clone() + 0.5).log1p(), small, (x * 1e20).abs().log1p())
    });
}

fn special_values(table: &mut Table) {
    let infinite = |x: Tensor<2>| x.clone() / (x - 0.1).clamp(0.0, 1.0);
    table.case("infinities", [3, 6], move |x: Tensor<2>| (infinite(x.clone()).is_inf(), infinite(x).is_nan()));
    table.case("no numbers", [3, 6], |x: Tensor<2>| (x.clone().log().is_nan(), x.log().is_inf()));
    table.case("edges of log1p", [3, 6], move |x: Tensor<2>| infinite(x).abs().log1p());
    table.case("edges of hypot", [3, 6], move |x: Tensor<2>| {
        let zero = x.clone().zeros_like();
        (infinite(x.clone()).hypot(x.clone()), zero.clone().hypot(zero), (x.clone() * 1e30).hypot(x * 1e30) / 1e30)
    });
    table.case("angles on the axes", [3, 6], |x: Tensor<2>| {
        let zeros_of_both_signs = (x.clone() * 1.4).round();
        // Through integers, for the sign of a zero above or below the point is not seen.
        let side = zeros_of_both_signs.clone().int().float();
        (side.clone().atan2(x.clone()), side.clone().abs().atan2(side), x.atan2(zeros_of_both_signs))
    });
    table.case("edges of truncation", [3, 6], move |x: Tensor<2>| infinite(x).trunc());
}

/// Every pair of numbers that quotients go wrong for, against the angle that Rust computes, as Burn's CPU device does.
fn edges_of_angles(table: &mut Table) {
    const INFINITY: f32 = f32::INFINITY;
    let edges = [-INFINITY, -1.5, 0.0, 1.5, INFINITY, f32::NAN];
    let points = edges.into_iter().flat_map(|y| edges.into_iter().chain([-0.0]).map(move |x| (y, x)));
    let points: Vec<(f32, f32)> = points.filter(|(y, x)| *y != 0.0 || *x != 0.0 || x.is_sign_positive()).collect();
    let data = |number: fn(&(f32, f32)) -> f32| {
        TensorData::new(points.iter().map(number).collect::<Vec<f32>>(), [points.len()])
    };
    let (module, example) = (nothing(), Tensor::<1>::zeros([points.len()], &Device::flex()));
    let compile = |opset| {
        let export = export(&module).opset(opset).fixed_input("y", example.clone()).fixed_input("x", example.clone());
        export.outputs(["angle"]).compile(|_: &Relu, (y, x): (Tensor<1>, Tensor<1>)| y.atan2(x))
    };
    table.expect(13, "edges", compile, vec![data(|(y, _)| *y), data(|(_, x)| *x)], vec![data(|(y, x)| y.atan2(*x))]);
}

fn running(table: &mut Table) {
    for axis in 0..3 {
        table.case(&format!("axis {axis}"), [3, 4, 5], move |x: Tensor<3>| {
            (x.clone().cumsum(axis), x.clone().cumprod(axis), x.clone().cummin(axis), x.cummax(axis))
        });
    }
    table.beyond_tract("it takes 64-bit integers for sizes and cannot add them up").case(
        "integers",
        [3, 4],
        |x: Tensor<2>| {
            let x = (x * 5).int();
            (x.clone().cumsum(1), x.clone().cumprod(1), x.clone().cummin(0), x.cummax(1))
        },
    );
}

fn sorting(table: &mut Table) {
    table.case("sorts", [3, 7], |x: Tensor<2>| {
        let (values, indices) = x.clone().sort_with_indices(1);
        (
            values,
            indices,
            x.clone().sort_descending(1),
            x.clone().argsort(1),
            x.clone().sort(0),
            x.argsort_descending(1),
        )
    });
    table.case("the largest", [3, 7], |x: Tensor<2>| {
        let (values, indices) = x.clone().topk_with_indices(3, 1);
        (values, indices, x.clone().topk(2, 1), x.argtopk(2, 1))
    });
    table.beyond_tract("it takes 64-bit integers for sizes and cannot sort them").case(
        "integers",
        [3, 7],
        |x: Tensor<2>| {
            let x: Tensor<2, Int> = (x * 1000).int();
            let (values, indices) = x.clone().sort_descending_with_indices(1);
            (values, indices, x.topk(2, 1))
        },
    );
    table.case("the middle", [3, 7], |x: Tensor<2>| x.median(1));
    table.case("the least of an axis with its place", [3, 4, 5], |x: Tensor<3>| x.min_dim_with_indices(2));
    table.case("the largest absolute value", [3, 4, 5], |x: Tensor<3>| {
        (
            x.clone().max_abs(),
            x.clone().max_abs_dim(1),
            x.clone().sum_dims(&[1, 2]),
            x.clone().exp().sum_dims::<usize>(&[]),
            x.min_dim(2),
        )
    });
}

fn activations(table: &mut Table) {
    table.case("log_sigmoid", [2, 6], |x: Tensor<2>| log_sigmoid(x * 20));
    table.case("softmin", [2, 6], |x: Tensor<2>| softmin(x, 1));
    table.case("prelu", [2, 3, 4], |x: Tensor<3>| {
        let device = x.device();
        let slopes = Tensor::<1>::from_data([0.1f32, -0.5, 2.0], &device);
        (prelu(x.clone(), slopes), prelu(x, Tensor::<1>::from_data([0.25f32], &device)))
    });
}

fn truth(table: &mut Table) {
    table.case("all and any", [3, 4], |x: Tensor<2>| {
        let mask = x.clone().greater_elem(0.0);
        (mask.clone().all(), mask.clone().any(), mask.clone().all_dim(1), mask.clone().any_dim(1), mask.all_dim(0))
    });
    table.case("of numbers", [3, 4], |x: Tensor<2>| {
        let (floats, ints) = (x.clone().clamp_min(0.0), (x * 2).int());
        (floats.clone().all_dim(1), floats.any(), ints.clone().all(), ints.any_dim(1))
    });
    table.case("masks of truth values", [3, 4], |x: Tensor<2>| {
        let (mask, value) = (x.clone().greater_elem(0.0), x.clone().greater_elem(0.5));
        let tensor = x.lower_elem(-0.5);
        (tensor.clone().mask_where(mask.clone(), value), tensor.mask_fill(mask, true))
    });
}
