//! Every lowered tensor operation: Burn's numbers are those of every runtime.

use burn::tensor::activation::{gelu, hard_sigmoid, leaky_relu, log_softmax, relu, sigmoid, softmax};
use burn::tensor::{Bool, Int, Tensor, s};
use selfie_export::DynTensor;

use crate::support::{Table, tables};

tables!(
    element_wise_functions,
    arithmetic_of_two_tensors,
    reductions,
    comparisons_masks_and_casts,
    shapes_and_axes,
    slices,
    reads_by_index,
    constants,
    padding,
);

fn element_wise_functions(table: &mut Table) {
    type Function = fn(Tensor<2>) -> Tensor<2>;
    let functions: [(&str, Function); 36] = [
        ("exp", |x| x.exp()),
        ("log", |x| (x + 2).log()),
        ("erf", |x| x.erf()),
        ("sqrt", |x| (x + 2).sqrt()),
        ("recip", |x| (x + 2).recip()),
        ("cos", |x| x.cos()),
        ("sin", |x| x.sin()),
        ("tan", |x| x.tan()),
        ("tanh", |x| x.tanh()),
        ("floor", |x| (x * 5).floor()),
        ("ceil", |x| (x * 5).ceil()),
        ("round", |x| (x * 5).round()),
        ("abs", |x| x.abs()),
        ("neg", |x| x.neg()),
        ("sign", |x| x.sign()),
        ("sigmoid", sigmoid),
        ("relu", relu),
        ("gelu", gelu),
        ("leaky_relu", |x| leaky_relu(x, 0.1)),
        ("hard_sigmoid", |x| hard_sigmoid(x, 0.3, 0.4)),
        ("softmax", |x| softmax(x, 1)),
        ("log_softmax", |x| log_softmax(x, 1)),
        ("softmax over the batch", |x| softmax(x, 0)),
        ("powi", |x| x.powi_scalar(3)),
        ("powf", |x| (x + 2).powf_scalar(2.5)),
        ("powf tensor", |x| (x.clone() + 2).powf(x)),
        ("clamp", |x| x.clamp(-0.5, 0.5)),
        ("clamp_min", |x| x.clamp_min(-0.5)),
        ("clamp_max", |x| x.clamp_max(0.5)),
        ("add scalar", |x| x + 1.5),
        ("sub scalar", |x| x - 1.5),
        ("mul scalar", |x| x * -1.5),
        ("div scalar", |x| x / 3),
        ("scalar over tensor", |x| 1.0 / (x + 3)),
        ("max_pair", |x| x.clone().max_pair(x.neg())),
        ("square", |x| x.square()),
    ];
    for (name, function) in functions {
        table.case(name, [2, 6], function);
    }
}

fn arithmetic_of_two_tensors(table: &mut Table) {
    table.case("same shape", [2, 6], |x: Tensor<2>| {
        let y = x.clone().exp();
        let device = x.device();
        let row = Tensor::<2>::from_data([[0.5f32, -1.5, 2.0, 0.25, -0.75, 1.0]], &device);
        (x.clone() + y.clone(), x.clone() - y.clone(), x.clone() * y.clone(), x.clone() / y, x + row)
    });
    table.case("the batch broadcasts", [2, 3, 4], |x: Tensor<3>| {
        let first = x.clone().slice([0..1, 0..3, 0..1]);
        x * first
    });
    table.case("matrix products", [2, 3, 4], |x: Tensor<3>| {
        let square = x.clone().matmul(x.clone().swap_dims(1, 2));
        let device = x.device();
        let weight = Tensor::<3>::ones([1, 4, 5], &device);
        (square, x.matmul(weight))
    });
}

fn reductions(table: &mut Table) {
    table.case("all", [2, 3, 4], |x: Tensor<3>| {
        (x.clone().sum(), x.clone().mean(), x.clone().max(), x.clone().min(), x.prod())
    });
    table.case("all of one axis", [2], |x: Tensor<1>| (x.clone().sum(), x.mean()));
    for axis in 0..3 {
        table.case(&format!("axis {axis}"), [2, 3, 4], |x: Tensor<3>| {
            (
                x.clone().sum_dim(axis),
                x.clone().mean_dim(axis),
                x.clone().max_dim(axis),
                x.clone().min_dim(axis),
                x.clone().argmax(axis),
                x.argmin(axis),
            )
        });
        table.case(&format!("values and indices of axis {axis}"), [2, 3, 4], |x: Tensor<3>| {
            let (values, indices) = x.clone().max_dim_with_indices(axis);
            (values, indices, x.clone().prod_dim(axis), x.var(axis.max(1)))
        });
    }
}

fn comparisons_masks_and_casts(table: &mut Table) {
    table.case("with numbers", [2, 6], |x: Tensor<2>| {
        let masks: [Tensor<2, Bool>; 6] = [
            x.clone().greater_elem(0.1),
            x.clone().greater_equal_elem(0.1),
            x.clone().lower_elem(0.1),
            x.clone().lower_equal_elem(0.1),
            x.clone().equal_elem(0.1),
            x.not_equal_elem(0.1),
        ];
        masks.into_iter().map(|mask| DynTensor::from(mask.float())).collect::<Vec<_>>()
    });
    table.case("with tensors", [2, 6], |x: Tensor<2>| {
        let y = x.clone().tanh();
        let masks: [Tensor<2, Bool>; 6] = [
            x.clone().greater(y.clone()),
            x.clone().greater_equal(y.clone()),
            x.clone().lower(y.clone()),
            x.clone().lower_equal(y.clone()),
            x.clone().equal(y.clone()),
            x.not_equal(y),
        ];
        masks.into_iter().map(|mask| DynTensor::from(mask.int())).collect::<Vec<_>>()
    });
    table.case("logic", [2, 6], |x: Tensor<2>| {
        let (a, b) = (x.clone().greater_elem(0.0), x.lower_elem(0.5));
        (a.clone().bool_and(b.clone()), a.clone().bool_or(b.clone()), a.bool_xor(b.clone()), b.bool_not())
    });
    table.case("masks", [2, 6], |x: Tensor<2>| {
        let mask = x.clone().greater_elem(0.0);
        (x.clone().mask_fill(mask.clone(), -7.0), x.clone().mask_where(mask, x.exp()))
    });
    table.case("casts", [2, 6], |x: Tensor<2>| {
        let int: Tensor<2, Int> = (x * 10).int();
        (int.clone(), int.clone().float(), int.clone() / 3, int.greater_elem(2))
    });
}

fn shapes_and_axes(table: &mut Table) {
    table.case("reshapes", [2, 3, 4], |x: Tensor<3>| {
        let [batch, _, _] = x.dims();
        let flat = x.clone().reshape([batch * 3, 4]);
        let back = flat.clone().tanh().reshape([batch, 3, 4]);
        (flat, back, x.clone().flatten::<2>(1, 2), x.clone().unsqueeze_dim::<4>(1), x.reshape([12 * batch]))
    });
    table.case("permutations", [2, 3, 4], |x: Tensor<3>| {
        (x.clone().swap_dims(0, 2), x.clone().permute([1, 2, 0]), x.clone().transpose(), x.flip([1, 2]))
    });
    table.case("the batch flips", [2, 3], |x: Tensor<2>| x.flip([0]));
    table.case("expansion", [2, 1, 4], |x: Tensor<3>| {
        let [batch, _, _] = x.dims();
        let row = x.clone().slice([0..1, 0..1, 0..4]);
        (
            x.clone().expand([batch, 3, 4]),
            row.clone().expand([batch, 3, 4]),
            row.repeat_dim(0, batch),
            x.repeat_dim(1, 3),
        )
    });
    table.case("repetition", [2, 3], |x: Tensor<2>| {
        let [batch, _] = x.dims();
        (x.clone().repeat_dim(0, 2), x.clone().repeat_dim(1, 2), x.repeat_dim(1, batch))
    });
    table.case("concatenation", [2, 3], |x: Tensor<2>| {
        let sum = Tensor::cat(vec![x.clone(), x.clone().exp()], 1);
        (sum, Tensor::cat(vec![x.clone(), x.clone()], 0), Tensor::stack::<3>(vec![x.clone(), x], 1))
    });
}

fn slices(table: &mut Table) {
    table.case("fixed ranges", [4, 6], |x: Tensor<2>| {
        let [batch, _] = x.dims();
        (
            x.clone().slice([0..batch, 1..4]),
            x.clone().slice(s![.., -2..]),
            x.clone().slice(s![.., ..;2]),
            x.clone().slice(s![.., 1..5;-1]),
            x.clone().slice(s![.., ..;-2]),
            x.narrow(1, 2, 3),
        )
    });
    table.case("ranges that follow the batch", [4, 6], |x: Tensor<2>| {
        let [batch, _] = x.dims();
        let doubled = Tensor::cat(vec![x.clone(), x.exp()], 0);
        (
            doubled.clone().slice([0..batch, 0..6]),
            doubled.clone().slice([batch..2 * batch, 0..3]),
            doubled.clone().slice([1..2 * batch, 0..6]),
            doubled.slice([0..2 * batch - 1, 0..6]),
        )
    });
    table.case("chunks", [2, 6], |x: Tensor<2>| x.chunk(3, 1).into_iter().map(DynTensor::from).collect::<Vec<_>>());
}

fn reads_by_index(table: &mut Table) {
    table.case("select", [2, 6], |x: Tensor<2>| {
        let indices = Tensor::<1, Int>::from_data([4i64, 0, 4], &x.device());
        x.select(1, indices)
    });
    table.case("gather", [2, 6], |x: Tensor<2>| {
        let order = x.clone().argmax(1);
        x.gather(1, order)
    });
}

fn constants(table: &mut Table) {
    table.case("of fixed shape", [2, 3], |x: Tensor<2>| {
        let device = x.device();
        let ramp = Tensor::<1, Int>::arange(0..3, &device).float().reshape([1, 3]);
        let full = Tensor::<2>::full([1, 3], 2.5, &device);
        x + ramp + full + Tensor::ones([1, 3], &device) + Tensor::zeros([1, 3], &device)
    });
    table.case("that count up to a dynamic size", [2, 3], |x: Tensor<2>| {
        let [batch, _] = x.dims();
        let count = |range, step| Tensor::<1, Int>::arange_step(range, step, &x.device());
        let end = batch as i64;
        (
            count(0..end, 1) * 2,
            count(end..3 * end, 2).float(),
            x.clone() + count(1..end + 1, 1).float().reshape([batch, 1]),
        )
    });
    table.case("of dynamic shape", [2, 3], |x: Tensor<2>| {
        let shape = x.dims();
        let device = x.device();
        (Tensor::<2>::full(shape, 2.5, &device) * x.clone(), x.clone().zeros_like(), x.ones_like())
    });
}

fn padding(table: &mut Table) {
    use burn::tensor::ops::PadMode;
    table.case("of the last axes", [2, 3, 4, 5], |x: Tensor<4>| {
        (
            x.clone().pad((1, 2, 3, 0), PadMode::Constant(0.5)),
            x.clone().pad((1, 2, 1, 0), PadMode::Reflect),
            x.pad((1, 2, 3, 0), PadMode::Edge),
        )
    });
}
