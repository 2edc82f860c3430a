//! Numbers that follow the dynamic sizes, computed by the graph itself.

use burn_ir::{OperationIr, ScalarIr};

use super::Context;
use crate::ir::{Attributes, Constant, ElementType, Number, ValueId, attributes};
use crate::shapes::{Dim, Formula, Ramp};
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

    /// A number of the operation: a constant where it is fixed, and a tensor of one number that is computed from the sizes
    /// where it follows them.
    ///
    /// # Errors
    /// A floating point number is neither `a + b · size` nor one divided by it, or an integer no sum of sizes.
    pub fn scalar_of(
        &mut self,
        read: impl Fn(&OperationIr) -> Option<ScalarIr>,
        dtype: ElementType,
    ) -> Result<Option<ValueId>> {
        let observed: Vec<ScalarIr> = self.operations.iter().filter_map(read).collect();
        let Some(first) = observed.first().copied() else { return Ok(None) };
        if observed.iter().all(|scalar| *scalar == first) {
            return Ok(Some(self.scalar(first, dtype)));
        }
        self.consumed += 1;
        if let Some(integers) = observed.iter().map(integer).collect::<Option<Vec<i64>>>() {
            let value = self.integers(&[self.samples.fit(&integers)])?;
            return Ok(Some(self.cast(value, dtype)));
        }
        let numbers: Vec<f64> = observed.iter().map(|scalar| scalar.elem()).collect();
        let formula = Formula::of(self.samples, &numbers).ok_or_else(|| Error::SizeDependent {
            index: self.index,
            operation: self.name.clone(),
            path: self.path.clone(),
            what: "a number".to_string(),
            detail: format!(": the traces show {numbers:?}, which is neither `a + b * size` nor one divided by it"),
        })?;
        Ok(Some(self.formula(&formula, dtype)))
    }

    fn formula(&mut self, formula: &Formula, dtype: ElementType) -> ValueId {
        let size = self.size(formula.symbol);
        let mut value = self.cast(size, dtype);
        if formula.coefficient != 1.0 {
            let coefficient = self.number(formula.coefficient, dtype);
            value = self.same("Mul", &[value, coefficient], Attributes::new());
        }
        if formula.constant != 0.0 {
            let constant = self.number(formula.constant, dtype);
            value = self.same("Add", &[value, constant], Attributes::new());
        }
        if formula.reciprocal { self.same("Reciprocal", &[value], Attributes::new()) } else { value }
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

    /// Integers in equal steps up to a dynamic length.
    pub(super) fn ramp(&mut self, ramp: &Ramp, dtype: ElementType) -> Result<ValueId> {
        let length = std::slice::from_ref(&ramp.length);
        let mut numbers = self.range(&ramp.length)?;
        if ramp.step != 1 {
            let step = self.constant(Constant::scalar(ElementType::I64, Number::Int(ramp.step.into())));
            numbers = self.apply("Mul", &[numbers, step], ElementType::I64, length);
        }
        if ramp.start != Dim::Fixed(0) {
            let start = self.integers(std::slice::from_ref(&ramp.start))?;
            numbers = self.apply("Add", &[numbers, start], ElementType::I64, length);
        }
        Ok(self.cast(numbers, dtype))
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
            _ => return Err(self.size_dependent(dim)),
        };
        let mut sum: Option<ValueId> = None;
        for (symbol, coefficient) in &affine.terms {
            let size = self.size(*symbol);
            let term = if *coefficient == 1 { size } else { self.integer_op("Mul", size, *coefficient) };
            sum = Some(match sum {
                Some(sum) => self.same("Add", &[sum, term], Attributes::new()),
                None => term,
            });
        }
        let mut value = match sum {
            Some(sum) => sum,
            None => return Err(self.size_dependent(dim)),
        };
        if affine.constant != 0 {
            value = self.integer_op("Add", value, affine.constant);
        }
        if affine.divisor != 1 {
            value = self.integer_op("Div", value, affine.divisor);
        }
        Ok(value)
    }

    fn size_dependent(&self, dim: &Dim) -> Error {
        let detail = match dim {
            Dim::Opaque(observed) => {
                format!(": the traces show {observed:?}, which is no affine expression of the sizes")
            }
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

    fn integer_op(&mut self, op: &str, value: ValueId, operand: i64) -> ValueId {
        let operand = self.constant(Constant::i64s(&[operand]));
        self.same(op, &[value, operand], Attributes::new())
    }

    /// The size of a symbol at run time, as a tensor of one integer.
    fn size(&mut self, symbol: usize) -> ValueId {
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

fn integer(scalar: &ScalarIr) -> Option<i64> {
    match scalar {
        ScalarIr::Int(value) => Some(*value),
        ScalarIr::UInt(value) => i64::try_from(*value).ok(),
        ScalarIr::Float(_) | ScalarIr::Bool(_) => None,
    }
}
