//! Reads and writes by index, writes into slices, sliding windows.

use burn::nn::Relu;
use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, s};

use crate::support::{EXACT, Table, differences, differences_on, export, nothing, runners, tables};

tables!(
    scatters,
    minima_and_maxima_scatter,
    points,
    slice_assignments,
    ends_from_behind_a_dynamic_axis,
    windows,
    without_numbers,
);

/// One index an element, none twice along the last axis.
fn order(x: &Tensor<2>) -> Tensor<2, Int> {
    x.clone().argsort(1)
}

fn rows(x: &Tensor<2>) -> Tensor<1, Int> {
    Tensor::from_data([2i64, 0, 2], &x.device())
}

fn scatters(table: &mut Table) {
    let example = |shape| Tensor::<2>::zeros(shape, &Device::flex());
    table.case("elements are replaced", [3, 4], |x: Tensor<2>| {
        x.clone().exp().scatter(1, order(&x), x, IndexingUpdateOp::Assign)
    });
    table.case_since(16, "elements are added and multiplied", example([3, 4]), |x: Tensor<2>| {
        let [batch, _] = x.dims();
        let (base, first) = (x.clone().exp(), x.clone().slice([0..batch, 0..2]));
        let indices = x.clone().zeros_like().int().slice([0..batch, 0..2]);
        (
            base.clone().scatter(1, indices.clone(), first.clone(), IndexingUpdateOp::Add),
            base.scatter(1, indices, first, IndexingUpdateOp::Mul),
        )
    });
    table.case("slices are replaced", [3, 4], |x: Tensor<2>| {
        let indices = Tensor::<1, Int>::from_data([2i64, 0], &x.device());
        let [batch, _] = x.dims();
        x.clone().exp().select_assign(1, indices, x.slice([0..batch, 0..2]), IndexingUpdateOp::Assign)
    });
    table.case_since(16, "slices are added", example([3, 4]), |x: Tensor<2>| {
        let [batch, _] = x.dims();
        x.clone().exp().select_assign(1, rows(&x), x.slice([0..batch, 0..3]), IndexingUpdateOp::Add)
    });
    table.case_since(16, "truth values are joined", example([3, 4]), |x: Tensor<2>| {
        let [batch, _] = x.dims();
        let value = x.clone().greater_elem(0.0).slice([0..batch, 0..3]);
        x.clone().greater_elem(0.5).select_assign(1, rows(&x), value, IndexingUpdateOp::Add)
    });
}

fn minima_and_maxima_scatter(table: &mut Table) {
    let example = Tensor::<2>::zeros([3, 4], &Device::flex());
    table.case_since(18, "elements", example, |x: Tensor<2>| {
        let base = x.clone().flip([1]);
        (
            base.clone().scatter(1, order(&x), x.clone(), IndexingUpdateOp::Min),
            base.scatter(1, order(&x), x, IndexingUpdateOp::Max),
        )
    });
}

fn points(table: &mut Table) {
    let indices = |x: &Tensor<3>| Tensor::<2, Int>::from_data([[0i64, 1], [0, 2], [0, 0]], &x.device());
    table.case("reads", [2, 3, 4], move |x: Tensor<3>| {
        let points = indices(&x);
        x.gather_nd::<2, 2>(points)
    });
    table.case("writes", [2, 3, 4], move |x: Tensor<3>| {
        let values = x.clone().slice([0..1, 0..3, 0..4]).reshape([3, 4]);
        let points = indices(&x);
        x.exp().scatter_nd::<2, 2>(points, values, IndexingUpdateOp::Assign)
    });
    let example = Tensor::<3>::zeros([2, 3, 4], &Device::flex());
    table.case_since(16, "sums", example, move |x: Tensor<3>| {
        let values = x.clone().slice([0..1, 0..3, 0..4]).reshape([3, 4]);
        let points = indices(&x);
        x.exp().scatter_nd::<2, 2>(points, values, IndexingUpdateOp::Add)
    });
}

fn slice_assignments(table: &mut Table) {
    table.case("one axis", [3, 6], |x: Tensor<2>| {
        let [batch, _] = x.dims();
        let value = x.clone().slice([0..batch, 0..2]);
        let full = x.clone().exp();
        (
            full.clone().slice_assign([0..batch, 0..2], value.clone()),
            full.clone().slice_assign([0..batch, 2..4], value.clone()),
            full.clone().slice_assign(s![.., -2..], value),
            full.slice_assign([0..batch, 0..6], x),
        )
    });
    table.case("several axes", [3, 4, 6], |x: Tensor<3>| {
        let value = x.clone().slice([0..1, 0..2, 0..3]);
        (x.clone().exp().slice_assign([0..1, 1..3, 2..5], value.clone()), x.slice_assign([0..1, 2..4, 3..6], value))
    });
    table.case("steps", [3, 6], |x: Tensor<2>| {
        let [batch, _] = x.dims();
        let value = x.clone().slice([0..batch, 0..3]);
        let full = x.exp();
        (
            full.clone().slice_assign(s![.., ..;2], value.clone()),
            full.clone().slice_assign(s![.., 1..4;-1], value.clone()),
            full.slice_assign(s![.., ..;-2], value),
        )
    });
    table.case("ends that follow the batch", [3, 4], |x: Tensor<2>| {
        let [batch, _] = x.dims();
        let doubled = Tensor::cat(vec![x.clone().exp(), x.clone().tanh()], 0);
        (
            doubled.clone().slice_assign([0..batch, 0..4], x.clone()),
            doubled.clone().slice_assign([batch..2 * batch, 1..3], x.clone().slice([0..batch, 0..2])),
            doubled.slice_assign([1..batch + 1, 0..4], x),
        )
    });
}

/// The files are compared below the sizes at which they are recorded too, where a slice holds less than it asks for.
fn ends_from_behind_a_dynamic_axis(table: &mut Table) {
    type Function = fn(Tensor<2>) -> Tensor<2>;
    let slices: [(&str, Function); 4] = [
        ("the last three", |x| x.slice(s![-3..])),
        ("all but the last two", |x| x.slice(s![..-2])),
        ("the last four backwards", |x| x.slice(s![-4..;-1])),
        ("every second of the last four, and a part of each row", |x| x.slice(s![-4..;2, 1..-1])),
    ];
    let module = nothing();
    let sizes: [&[(&str, usize)]; 4] = [&[("batch", 1)], &[("batch", 2)], &[("batch", 4)], &[("batch", 7)]];
    for (name, slice) in slices {
        // A sum has one size at every size of the slice, and that of running sums tells the order of the rows.
        let forward = move |_: &Relu, x: Tensor<2>| slice(x).cumsum(0).sum_dim(0);
        let example = Tensor::<2>::zeros([4, 3], &Device::flex());
        let model = export(&module).input("x", example, [(0, "batch")]).outputs(["y"]).compile(forward);
        table.judge(name, model, |model| differences(&module, model, forward, &sizes, EXACT));
    }
    let forward = |_: &Relu, x: Tensor<2>| x.slice(s![..-2;-1]).cumsum(0).sum_dim(0);
    let example = Tensor::<2>::zeros([4, 3], &Device::flex());
    let model = export(&module).input("x", example, [(0, "batch")]).outputs(["y"]).compile(forward);
    table.judge("all but the last two backwards", model, |model| {
        let mut wrong = differences(&module, model, forward, &sizes[2..], EXACT);
        eprintln!("ONNX Runtime alone: tract walks backwards over no empty axis");
        let others = runners().into_iter().filter(|runner| runner.name() != "tract").collect();
        wrong.extend(differences_on(others, &module, model, forward, &sizes[..2], EXACT));
        wrong
    });
}

fn windows(table: &mut Table) {
    table.case("of the last axis", [3, 8], |x: Tensor<2>| {
        (x.clone().unfold::<3, _>(1, 3, 1), x.unfold::<3, _>(1, 4, 2))
    });
    table.case("of a middle axis", [3, 8, 2], |x: Tensor<3>| x.unfold::<4, _>(1, 3, 2));
    table.case("of the batch", [3, 2], |x: Tensor<2>| {
        let doubled = Tensor::cat(vec![x.clone(), x.exp()], 0);
        doubled.unfold::<3, _>(0, 2, 1)
    });
}

fn without_numbers(table: &mut Table) {
    table.case("an empty tensor that is filled", [3, 4], |x: Tensor<2>| {
        let [batch, width] = x.dims();
        Tensor::<2>::empty([batch, width], &x.device()).slice_assign([0..batch, 0..4], x)
    });
    table.case("indices that are compared", [3, 4], |x: Tensor<2>| {
        let (best, worst) = (x.clone().argmax(1), x.argmin(1));
        (
            best.clone().equal(worst.clone()),
            best.not_equal(worst.clone()),
            worst.clone().equal_elem(0),
            worst.not_equal_elem(1),
        )
    });
}
