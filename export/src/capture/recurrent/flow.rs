//! The operations of a trace, by the tensors that they make and read.

use std::collections::{BTreeMap, BTreeSet};

use burn_ir::{
    ActivationOperationIr, BaseOperationIr, BinaryOpIr, FloatOperationIr, ModuleOperationIr, NumericOperationIr,
    OperationIr, ScalarIr, ShapeOpIr, SliceAssignOpIr, SliceOpIr, TensorId, TensorIr,
};

/// The index that stands for the caller, who reads the outputs of the trace.
const CALLER: usize = usize::MAX;

pub(super) struct Flow<'a> {
    pub operations: &'a [OperationIr],
    makers: BTreeMap<TensorId, usize>,
    readers: BTreeMap<TensorId, BTreeSet<usize>>,
}

impl<'a> Flow<'a> {
    pub fn of(operations: &'a [OperationIr], outputs: &[TensorId]) -> Self {
        let (mut makers, mut readers) = (BTreeMap::new(), BTreeMap::<TensorId, BTreeSet<usize>>::new());
        for (index, operation) in operations.iter().enumerate() {
            makers.extend(operation.outputs().map(|tensor| (tensor.id, index)));
            operation.inputs().for_each(|tensor| {
                readers.entry(tensor.id).or_default().insert(index);
            });
        }
        outputs.iter().for_each(|id| {
            readers.entry(*id).or_default().insert(CALLER);
        });
        Self { operations, makers, readers }
    }

    /// The index of the operation that makes a tensor.
    pub fn maker(&self, id: TensorId) -> Option<usize> {
        self.makers.get(&id).copied()
    }

    /// The indices of the operations that read a tensor.
    pub fn readers(&self, id: TensorId) -> impl Iterator<Item = usize> + '_ {
        self.readers.get(&id).into_iter().flatten().copied()
    }

    /// The one reader of a tensor.
    pub fn only_reader(&self, id: TensorId) -> Option<usize> {
        let mut readers = self.readers(id);
        readers.next().filter(|_| readers.next().is_none())
    }
}

/// Follows formulas backwards, from a tensor to what it is made of, and notes the operations on the way.
pub(super) struct Walk<'a> {
    pub flow: &'a Flow<'a>,
    pub taken: BTreeSet<usize>,
}

/// `input · weight + bias`.
pub(super) struct Product<'a> {
    pub input: TensorId,
    pub weight: &'a TensorIr,
    pub bias: Option<&'a TensorIr>,
}

impl<'a> Walk<'a> {
    pub fn new(flow: &'a Flow<'a>) -> Self {
        Self { flow, taken: BTreeSet::new() }
    }

    /// The operation that makes a tensor.
    fn look(&self, id: TensorId) -> Option<&'a OperationIr> {
        self.flow.operations.get(self.flow.maker(id)?)
    }

    /// What `read` sees in the operation that makes a tensor, which is then noted.
    fn take<T>(&mut self, id: TensorId, read: impl Fn(&'a OperationIr) -> Option<T>) -> Option<T> {
        let found = read(self.look(id)?)?;
        self.taken.extend(self.flow.maker(id));
        Some(found)
    }

    /// `lhs + rhs`.
    pub fn sum(&mut self, id: TensorId) -> Option<&'a BinaryOpIr> {
        self.take(id, |operation| match operation {
            OperationIr::NumericFloat(_, NumericOperationIr::Add(ir)) => Some(ir),
            _ => None,
        })
    }

    /// `lhs * rhs`, element by element.
    pub fn scaled(&mut self, id: TensorId) -> Option<&'a BinaryOpIr> {
        self.take(id, |operation| match operation {
            OperationIr::NumericFloat(_, NumericOperationIr::Mul(ir)) => Some(ir),
            _ => None,
        })
    }

    /// The argument of a sigmoid.
    pub fn sigmoid(&mut self, id: TensorId) -> Option<TensorId> {
        self.take(id, |operation| match operation {
            OperationIr::Activation(ActivationOperationIr::Sigmoid(ir)) => Some(ir.input.id),
            _ => None,
        })
    }

    /// The argument of a hyperbolic tangent.
    pub fn tanh(&mut self, id: TensorId) -> Option<TensorId> {
        self.take(id, |operation| match operation {
            OperationIr::Float(_, FloatOperationIr::Tanh(ir)) => Some(ir.input.id),
            _ => None,
        })
    }

    /// The `x` of `1 - x`, which Burn computes as `-x + 1`.
    pub fn complement(&mut self, id: TensorId) -> Option<TensorId> {
        let negated = self.take(id, |operation| match operation {
            OperationIr::NumericFloat(_, NumericOperationIr::AddScalar(ir)) => {
                matches!(ir.rhs, ScalarIr::Float(1.0)).then_some(ir.lhs.id)
            }
            _ => None,
        })?;
        self.take(negated, |operation| match operation {
            OperationIr::NumericFloat(_, NumericOperationIr::Neg(ir)) => Some(ir.input.id),
            _ => None,
        })
    }

    pub fn reshape(&mut self, id: TensorId) -> Option<&'a ShapeOpIr> {
        self.take(id, |operation| match operation {
            OperationIr::BaseFloat(BaseOperationIr::Reshape(ir)) => Some(ir),
            _ => None,
        })
    }

    pub fn slice(&mut self, id: TensorId) -> Option<&'a SliceOpIr> {
        self.take(id, |operation| match operation {
            OperationIr::BaseFloat(BaseOperationIr::Slice(ir)) => Some(ir),
            _ => None,
        })
    }

    pub fn slice_assign(&mut self, id: TensorId) -> Option<&'a SliceAssignOpIr> {
        self.take(id, |operation| match operation {
            OperationIr::BaseFloat(BaseOperationIr::SliceAssign(ir)) => Some(ir),
            _ => None,
        })
    }

    /// A tensor that is not filled yet.
    pub fn blank(&mut self, id: TensorId) -> Option<()> {
        self.take(id, |operation| matches!(operation, OperationIr::BaseFloat(BaseOperationIr::Empty(_))).then_some(()))
    }

    /// Whether a tensor holds zeros.
    pub fn is_zero(&self, id: TensorId) -> bool {
        matches!(self.look(id), Some(OperationIr::BaseFloat(BaseOperationIr::Zeros(_))))
    }

    /// A linear layer: one operation, or a product of matrices to which a reshaped bias may be added.
    pub fn product(&mut self, id: TensorId) -> Option<Product<'a>> {
        match self.look(id)? {
            OperationIr::Module(ModuleOperationIr::Linear(ir)) => {
                self.taken.extend(self.flow.maker(id));
                Some(Product { input: ir.x.id, weight: &ir.weight, bias: ir.bias.as_ref() })
            }
            OperationIr::Float(_, FloatOperationIr::Matmul(ir)) => {
                self.taken.extend(self.flow.maker(id));
                Some(Product { input: ir.lhs.id, weight: &ir.rhs, bias: None })
            }
            _ => {
                let sum = self.sum(id)?;
                let product = self.take(sum.lhs.id, |operation| match operation {
                    OperationIr::Float(_, FloatOperationIr::Matmul(ir)) => Some(ir),
                    _ => None,
                })?;
                let row = self.reshape(sum.rhs.id)?;
                Some(Product { input: product.lhs.id, weight: &product.rhs, bias: Some(&row.input) })
            }
        }
    }
}
