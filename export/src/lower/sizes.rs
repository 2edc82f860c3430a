//! Integers that follow the dynamic sizes, computed by the graph itself.

use super::Context;
use crate::ir::{Attributes, Constant, ElementType, Number, ValueId, attributes};
use crate::shapes::{Dim, Floor, Whole};
use crate::{Error, Result};

impl Context<'_> {
    /// A one-dimensional integer tensor with these numbers: a constant where they are fixed, and
    /// `Shape → Gather → arithmetic → Concat` where they are not.
    ///
    /// # Errors
    /// A number is no expression of the dynamic sizes.
    pub fn integers(&mut self, dims: &[Dim]) -> Result<ValueId> {
        let fixed: Option<Vec<i64>> = dims.iter().map(Dim::fixed).collect();
        if let Some(fixed) = fixed {
            return Ok(self.constant(Constant::i64s(&fixed)));
        }
        let mut parts: Vec<ValueId> = Vec::new();
        let mut run: Vec<i64> = Vec::new();
        for dim in dims {
            if let Some(value) = dim.fixed() {
                run.push(value);
                continue;
            }
            if !run.is_empty() {
                parts.push(self.constant(Constant::i64s(&std::mem::take(&mut run))));
            }
            parts.push(self.integer_value(dim)?);
        }
        if !run.is_empty() {
            parts.push(self.constant(Constant::i64s(&run)));
        }
        if parts.len() == 1 {
            return Ok(parts[0]);
        }
        let attributes = attributes([("axis", 0.into())]);
        Ok(self.node("Concat", &parts, attributes, ElementType::I64, vec![Dim::Fixed(dims.len() as i64)]))
    }

    /// The integers from zero to before `length`: a constant where the length is fixed.
    ///
    /// # Errors
    /// The length is no expression of the dynamic sizes.
    pub fn range(&mut self, length: &Dim) -> Result<ValueId> {
        if let Some(length) = length.fixed() {
            return Ok(self.constant(Constant::i64s(&(0..length).collect::<Vec<_>>())));
        }
        let size = self.integers(std::slice::from_ref(length))?;
        let axes = self.constant(Constant::i64s(&[0]));
        let limit = self.apply("Squeeze", &[size, axes], ElementType::I64, &[]);
        let [start, step] = [0, 1].map(|number| self.constant(Constant::scalar(ElementType::I64, Number::Int(number))));
        Ok(self.apply("Range", &[start, limit, step], ElementType::I64, std::slice::from_ref(length)))
    }

    /// Part of one axis; the sizes are those of the result.
    ///
    /// # Errors
    /// An end is no expression of the dynamic sizes.
    pub fn slice(&mut self, value: ValueId, axis: usize, ends: [&Dim; 2], step: i64, size: Dim) -> Result<ValueId> {
        let [start, end] = ends;
        let mut inputs = vec![value];
        for operand in [start, end, &Dim::Fixed(axis as i64), &Dim::Fixed(step)] {
            inputs.push(self.integers(std::slice::from_ref(operand))?);
        }
        if step == 1 {
            inputs.pop();
        }
        let (dtype, mut shape) = (self.dtype(value), self.value_shape(value));
        shape[axis] = size;
        Ok(self.apply("Slice", &inputs, dtype, &shape))
    }

    /// A tensor of one integer that is computed from the sizes of the graph inputs.
    fn integer_value(&mut self, dim: &Dim) -> Result<ValueId> {
        let affine = match dim {
            Dim::Affine(affine) => affine.clone(),
            Dim::Opaque(observed) => match Whole::of(self.samples, observed) {
                Some(whole) => return Ok(self.whole(&whole)),
                None => return Err(self.size_dependent(dim)),
            },
            Dim::Fixed(_) => return Err(self.size_dependent(dim)),
        };
        let mut sum: Option<ValueId> = None;
        for (symbol, coefficient) in &affine.terms {
            let size = self.size(*symbol);
            let term = self.integer_op("Mul", size, *coefficient);
            sum = Some(match sum {
                Some(sum) => self.same("Add", &[sum, term], Attributes::new()),
                None => term,
            });
        }
        let mut value = match sum {
            Some(sum) => sum,
            None => return Err(self.size_dependent(dim)),
        };
        value = self.integer_op("Add", value, affine.constant);
        Ok(self.integer_op("Div", value, affine.divisor))
    }

    fn whole(&mut self, whole: &Whole) -> ValueId {
        let parts: Vec<ValueId> = whole.parts.iter().map(|part| self.floor(part)).collect();
        let op = if whole.product { "Mul" } else { "Add" };
        let joined = parts.into_iter().reduce(|joined, part| self.same(op, &[joined, part], Attributes::new()));
        let joined = joined.unwrap_or_else(|| self.constant(Constant::i64s(&[0])));
        let scaled = self.integer_op("Mul", joined, whole.scale);
        self.integer_op("Add", scaled, whole.constant)
    }

    fn floor(&mut self, part: &Floor) -> ValueId {
        let size = self.size(part.symbol);
        let slope = (part.linear != 0).then(|| self.integer_op("Mul", size, part.linear));
        let stairs = (part.factor != 0).then(|| {
            // Runtimes divide towards zero, so what is divided must not be negative, from a size of one on.
            let below = (-(part.scale + part.shift)).max(0);
            let lift = (below + part.divisor - 1) / part.divisor;
            let scaled = self.integer_op("Mul", size, part.scale);
            let shifted = self.integer_op("Add", scaled, part.shift + lift * part.divisor);
            let quotient = self.integer_op("Div", shifted, part.divisor);
            let lowered = self.integer_op("Add", quotient, -lift);
            self.integer_op("Mul", lowered, part.factor)
        });
        let value = match (slope, stairs) {
            (Some(slope), Some(stairs)) => self.same("Add", &[slope, stairs], Attributes::new()),
            (Some(value), None) | (None, Some(value)) => value,
            (None, None) => return self.constant(Constant::i64s(&[part.constant])),
        };
        self.integer_op("Add", value, part.constant)
    }

    fn size_dependent(&self, dim: &Dim) -> Error {
        let detail = match dim {
            Dim::Opaque(observed) => format!(
                ": the traces show {}, which is no sum or product of sizes, of which some are divided and rounded down",
                shown(observed)
            ),
            _ => String::new(),
        };
        Error::SizeDependent {
            index: self.index,
            operation: self.name.clone(),
            path: self.path.clone(),
            what: "a size".to_string(),
            detail,
        }
    }

    /// Adds, multiplies or divides by a number, unless that changes nothing.
    fn integer_op(&mut self, op: &str, value: ValueId, operand: i64) -> ValueId {
        if operand == i64::from(op != "Add") {
            return value;
        }
        let operand = self.constant(Constant::i64s(&[operand]));
        self.same(op, &[value, operand], Attributes::new())
    }

    /// The size of a symbol at run time, as a tensor of one integer.
    pub(super) fn size(&mut self, symbol: usize) -> ValueId {
        if let Some(id) = self.sizes.get(&symbol) {
            return *id;
        }
        let (input, axis, name) = {
            let symbol = &self.graph.symbols[symbol];
            (self.graph.inputs[symbol.input], symbol.axis, symbol.name.clone())
        };
        let rank = self.graph.value(input).shape.len() as i64;
        let path = std::mem::replace(&mut self.path, name);
        let shape = self.node("Shape", &[input], Attributes::new(), ElementType::I64, vec![Dim::Fixed(rank)]);
        let axis = self.constant(Constant::i64s(&[axis as i64]));
        let attributes = attributes([("axis", 0.into())]);
        let size = self.node("Gather", &[shape, axis], attributes, ElementType::I64, vec![Dim::Fixed(1)]);
        self.path = path;
        self.sizes.insert(symbol, size);
        size
    }
}

/// What the first traces show.
pub(super) fn shown<T: std::fmt::Debug>(observed: &[T]) -> String {
    const FEW: usize = 8;
    format!("{:?}{}", &observed[..observed.len().min(FEW)], if observed.len() > FEW { " and more" } else { "" })
}
