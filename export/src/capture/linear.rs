//! Linear layers as one operation.
//!
//! Burn writes `x · W + b` in one of two forms, whichever suits the size of `x`: weight and bias reshaped to the rank of
//! `x`, or `x` flattened to a matrix and the product reshaped back. Both become `Module::Linear`, so that traces at
//! several sizes agree.

use std::collections::BTreeMap;

use burn_ir::{
    BaseOperationIr, FloatOperationIr, LinearOpIr, MatmulOpIr, ModuleOperationIr, NumericOperationIr, OperationIr,
    ShapeOpIr, TensorId, TensorIr,
};

/// Replaces both forms by `Module::Linear` where nothing else reads what lies between.
pub(super) fn fold_linear(operations: Vec<OperationIr>, outputs: &[TensorId]) -> Vec<OperationIr> {
    let mut reads: BTreeMap<TensorId, usize> = BTreeMap::new();
    let read = operations.iter().flat_map(|operation| operation.inputs().map(|tensor| tensor.id));
    read.chain(outputs.iter().copied()).for_each(|id| *reads.entry(id).or_default() += 1);
    let mut folded = Vec::with_capacity(operations.len());
    let mut rest = operations.as_slice();
    while let Some((first, tail)) = rest.split_first() {
        let found = flattened(rest).or_else(|| unflattened(rest)).filter(|found| found.is_private(&reads));
        match found {
            Some(found) => {
                rest = &rest[found.length..];
                folded.push(OperationIr::Module(ModuleOperationIr::Linear(found.linear)));
            }
            None => {
                folded.push(first.clone());
                rest = tail;
            }
        }
    }
    folded
}

struct Found {
    linear: LinearOpIr,
    between: Vec<TensorId>,
    length: usize,
}

impl Found {
    /// Whether each tensor between the operations is read once, by the next of them.
    fn is_private(&self, reads: &BTreeMap<TensorId, usize>) -> bool {
        self.between.iter().all(|id| reads.get(id) == Some(&1))
    }
}

/// `Reshape(x) → Matmul(·, w) [→ Add(·, Reshape(b))] → Reshape`.
fn flattened(operations: &[OperationIr]) -> Option<Found> {
    let flat = reshape(operations.first()?)?;
    let product = matmul(operations.get(1)?)?;
    let rank = flat.input.shape.num_dims();
    let width = *flat.input.shape.to_vec().last()?;
    let flat_dims = flat.out.shape.to_vec();
    if product.lhs.id != flat.out.id
        || product.rhs.shape.num_dims() != 2
        || rank < 3
        || flat_dims.get(1) != Some(&width)
    {
        return None;
    }
    let mut between = vec![flat.out.id, product.out.id];
    let (bias, length) = match bias(&operations[2..], &product.out, 2) {
        Some(bias) => {
            between.extend([bias.reshaped, bias.sum.id]);
            (Some(bias.bias), 4)
        }
        None => (None, 2),
    };
    let back = reshape(operations.get(length)?)?;
    let mut expected = flat.input.shape.to_vec();
    *expected.last_mut()? = *product.rhs.shape.to_vec().last()?;
    if back.input.id != *between.last()? || back.out.shape.to_vec() != expected {
        return None;
    }
    let linear = LinearOpIr { x: flat.input.clone(), weight: product.rhs.clone(), bias, out: back.out.clone() };
    Some(Found { linear, between, length: length + 1 })
}

/// `Matmul(x, Reshape(w)) [→ Add(·, Reshape(b))]`; a matrix `x` takes `w` as it is, and only counts with a bias.
fn unflattened(operations: &[OperationIr]) -> Option<Found> {
    let (weight, product, mut between, mut length) = match reshape(operations.first()?) {
        Some(reshaped) => {
            let product = matmul(operations.get(1)?)?;
            if product.rhs.id != reshaped.out.id || !adds_leading_axes(reshaped) || reshaped.input.shape.num_dims() != 2
            {
                return None;
            }
            (&reshaped.input, product, vec![reshaped.out.id], 2)
        }
        None => {
            let product = matmul(operations.first()?)?;
            (&product.rhs, product, vec![], 1)
        }
    };
    let rank = product.lhs.shape.num_dims();
    let added = bias(&operations[length..], &product.out, rank);
    if weight.shape.num_dims() != 2 || (between.is_empty() && (rank != 2 || added.is_none())) {
        return None;
    }
    let (bias, out) = match added {
        Some(bias) => {
            between.extend([product.out.id, bias.reshaped]);
            length += 2;
            (Some(bias.bias), bias.sum)
        }
        None => (None, product.out.clone()),
    };
    let linear = LinearOpIr { x: product.lhs.clone(), weight: weight.clone(), bias, out };
    Some(Found { linear, between, length })
}

struct Bias {
    bias: TensorIr,
    reshaped: TensorId,
    sum: TensorIr,
}

fn bias(operations: &[OperationIr], product: &TensorIr, rank: usize) -> Option<Bias> {
    let reshaped = reshape(operations.first()?)?;
    let OperationIr::NumericFloat(_, NumericOperationIr::Add(add)) = operations.get(1)? else { return None };
    let fits = reshaped.input.shape.num_dims() == 1
        && adds_leading_axes(reshaped)
        && reshaped.out.shape.num_dims() == rank
        && add.lhs.id == product.id
        && add.rhs.id == reshaped.out.id;
    fits.then(|| Bias { bias: reshaped.input.clone(), reshaped: reshaped.out.id, sum: add.out.clone() })
}

fn adds_leading_axes(reshape: &ShapeOpIr) -> bool {
    let (from, to) = (reshape.input.shape.to_vec(), reshape.out.shape.to_vec());
    let Some(new) = to.len().checked_sub(from.len()) else { return false };
    to[..new].iter().all(|size| *size == 1) && to[new..] == from[..]
}

fn reshape(operation: &OperationIr) -> Option<&ShapeOpIr> {
    match operation {
        OperationIr::BaseFloat(BaseOperationIr::Reshape(reshape)) => Some(reshape),
        _ => None,
    }
}

fn matmul(operation: &OperationIr) -> Option<&MatmulOpIr> {
    match operation {
        OperationIr::Float(_, FloatOperationIr::Matmul(matmul)) => Some(matmul),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Shape, Tensor};
    use burn_ir::BinaryOpIr;

    use super::*;
    use crate::DynTensor;

    fn tensor(id: u64, dims: &[usize]) -> TensorIr {
        TensorIr::uninit(TensorId::new(id), Shape::from(dims.to_vec()), DType::F32)
    }

    fn reshape(input: TensorIr, out: TensorIr) -> OperationIr {
        OperationIr::BaseFloat(BaseOperationIr::Reshape(ShapeOpIr { input, out }))
    }

    fn matmul(lhs: TensorIr, rhs: TensorIr, out: TensorIr) -> OperationIr {
        OperationIr::Float(DType::F32, FloatOperationIr::Matmul(MatmulOpIr { lhs, rhs, out }))
    }

    fn add(lhs: TensorIr, rhs: TensorIr, out: TensorIr) -> OperationIr {
        OperationIr::NumericFloat(DType::F32, NumericOperationIr::Add(BinaryOpIr { lhs, rhs, out }))
    }

    fn names(operations: &[OperationIr]) -> Vec<String> {
        operations.iter().map(crate::shapes::operation_name).collect()
    }

    #[test]
    fn a_tensor_between_that_is_read_again_keeps_the_operations() {
        let (x, w) = (tensor(1, &[2, 3, 4]), tensor(2, &[4, 5]));
        let (wide, product) = (tensor(3, &[1, 4, 5]), tensor(4, &[2, 3, 5]));
        let (b, row, sum) = (tensor(5, &[5]), tensor(6, &[1, 1, 5]), tensor(7, &[2, 3, 5]));
        let operations = vec![
            reshape(w, wide.clone()),
            matmul(x, wide, product.clone()),
            reshape(b, row.clone()),
            add(product.clone(), row, sum.clone()),
        ];
        assert_eq!(names(&fold_linear(operations.clone(), &[sum.id])), ["Module::Linear"]);
        assert_eq!(fold_linear(operations, &[sum.id, product.id]).len(), 4);
    }

    #[test]
    fn both_forms_of_burn_fold() {
        let device = Device::capture();
        let mut wrong = Vec::new();
        for (dims, bias) in [
            (vec![2, 3, 4], true),
            (vec![64, 3, 4], false),
            (vec![2, 40, 4], true),
            (vec![2, 32, 4], false),
            (vec![6, 4, 1], true),
        ] {
            let mut outputs = vec![];
            let graph = device.capture_scope(|scope| {
                let x = Tensor::<3>::ones([dims[0], dims[1], dims[2]], &device);
                let weight = Tensor::<2>::ones([dims[2], 7], &device);
                let bias = bias.then(|| Tensor::<1>::ones([7], &device));
                let y = burn::tensor::module::linear(x, weight, bias);
                outputs.push(DynTensor::from(y).capture_id().unwrap());
                scope.complete([], [])
            });
            let operations = fold_linear(graph.unwrap().graph.operations, &outputs);
            let names: Vec<String> = names(&operations).into_iter().filter(|name| !name.ends_with("Ones")).collect();
            if names != ["Module::Linear"] {
                wrong.push(format!("{dims:?} {bias}: {names:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
