//! Integers of every width, their bits and their shifts.

use burn::tensor::{Device, FloatDType, Int, IntDType, Tensor};

use selfie_export::verify::Tolerance;

use crate::support::{BATCHES, Table, differences, export, nothing, tables};

tables!(
    arithmetic_of_every_width,
    reductions_of_every_width,
    bits,
    shifts,
    powers_and_products,
    narrow_floats,
    wide_floats
);

/// ONNX Runtime has no arithmetic on `U64`.
const WIDTHS: [IntDType; 7] =
    [IntDType::I64, IntDType::I32, IntDType::I16, IntDType::I8, IntDType::U32, IntDType::U16, IntDType::U8];

fn example() -> Tensor<2, Int> {
    Tensor::zeros([2, 6], &Device::flex())
}

/// Small positive numbers of a width: 1 to 4.
fn positive(x: Tensor<2, Int>, width: IntDType) -> Tensor<2, Int> {
    (x + 1).cast(width)
}

fn arithmetic_of_every_width(table: &mut Table) {
    for width in WIDTHS {
        table.case_since(13, &format!("{width:?}"), example(), move |x: Tensor<2, Int>| {
            let (a, b) = (positive(x.clone(), width), positive(x.flip([1]), width));
            let results =
                [a.clone() + b.clone(), a.clone() * b.clone(), a.clone() / b.clone(), a.clone() + 3, a.clone() * 2];
            let compared = (a.clone().greater(b.clone()), a.clone().equal_elem(2));
            let clamped = a.clone().clamp(2, 3);
            let chosen = a.clone().mask_where(compared.0.clone(), b.clone());
            let [sum, product, quotient, more, twice] = results.map(|result| result.cast(IntDType::I64));
            let rest = a.clone().remainder(b).cast(IntDType::I64);
            (
                sum + product,
                quotient + more,
                twice + rest,
                clamped.cast(IntDType::I64),
                chosen.cast(IntDType::I64),
                a.cast(FloatDType::F32),
            )
        });
    }
}

fn reductions_of_every_width(table: &mut Table) {
    for width in WIDTHS {
        if [IntDType::I64, IntDType::U32].contains(&width) {
            table.beyond_tract("it has no ArgMax of this width");
        }
        table.case_since(13, &format!("{width:?}"), example(), move |x: Tensor<2, Int>| {
            let x = positive(x, width);
            let wide = |x: Tensor<2, Int>| x.cast(IntDType::I64);
            (
                wide(x.clone().sum_dim(1)),
                wide(x.clone().max_dim(1)),
                wide(x.clone().min_dim(1)),
                wide(x.clone().clamp(1, 2).prod_dim(1)),
                x.clone().argmax(1),
                wide(x.cumsum(1)),
            )
        });
    }
}

fn bits(table: &mut Table) {
    table.case_since(18, "logic", example(), |x: Tensor<2, Int>| {
        let (a, b) = (x.clone() * 37 - 50, x.flip([1]) * 11 - 7);
        (
            a.clone().bitwise_and(b.clone()),
            a.clone().bitwise_or(b.clone()),
            a.clone().bitwise_xor(b),
            a.clone().bitwise_and_scalar(6),
            a.clone().bitwise_or_scalar(6),
            a.bitwise_xor_scalar(6),
        )
    });
    for width in [IntDType::I64, IntDType::I32, IntDType::I8, IntDType::U8] {
        table.case_since(13, &format!("complement of {width:?}"), example(), move |x: Tensor<2, Int>| {
            positive(x, width).bitwise_not().cast(IntDType::I64)
        });
    }
}

fn shifts(table: &mut Table) {
    for width in [IntDType::I64, IntDType::I32, IntDType::I16, IntDType::I8, IntDType::U32, IntDType::U8] {
        let signed = [IntDType::I64, IntDType::I32, IntDType::I16, IntDType::I8].contains(&width);
        table.case_since(13, &format!("{width:?}"), example(), move |x: Tensor<2, Int>| {
            let value = if signed { x.clone() * 37 - 50 } else { x.clone() * 37 };
            let (value, amount) = (value.cast(width), positive(x, width));
            let wide = |x: Tensor<2, Int>| x.cast(IntDType::I64);
            (
                wide(value.clone().bitwise_left_shift(amount.clone())),
                wide(value.clone().bitwise_right_shift(amount)),
                wide(value.clone().bitwise_left_shift_scalar(3)),
                wide(value.bitwise_right_shift_scalar(3)),
            )
        });
    }
}

fn powers_and_products(table: &mut Table) {
    table.case_since(13, "powers", example(), |x: Tensor<2, Int>| {
        (x.clone().powi(x.clone()), x.clone().powi_scalar(2), x.clone() - 5, x.clone().neg(), (x - 2).sign().abs())
    });
    table.case_since(13, "products", example(), |x: Tensor<2, Int>| x.clone().matmul(x.transpose()));
    table.case_since(13, "means", example(), |x: Tensor<2, Int>| (x.clone().float().mean_dim(1), x.max()));
}

fn narrow_floats(table: &mut Table) {
    let module = nothing();
    let forward = |_: &burn::nn::Relu, x: Tensor<2>| {
        let x = x.cast(FloatDType::F16);
        let wide = |x: Tensor<2>| x.cast(FloatDType::F32);
        (
            wide(x.clone().exp()),
            wide(x.clone() * 3 + 0.5),
            wide(x.clone().mean_dim(1)),
            wide(x.clone().matmul(x.transpose())),
        )
    };
    let example = Tensor::<2>::zeros([2, 6], &Device::flex());
    let model = export(&module).input("x", example, [(0, "batch")]).outputs(["a", "b", "c", "d"]).compile(forward);
    let tolerance = Tolerance { absolute: 1e-2, relative: 1e-2 };
    table.judge("16 bits", model, |model| differences(&module, model, forward, BATCHES, tolerance));
}

fn wide_floats(table: &mut Table) {
    table.case("64 bits", [2, 6], |x: Tensor<2>| {
        let x = x.cast(FloatDType::F64);
        (
            x.clone().exp(),
            x.clone().sum_dim(1),
            x.clone().cumsum(1),
            x.clone().cummax(1),
            x.clone().sort(1),
            (x * 3).remainder_scalar(0.7),
        )
    });
}
