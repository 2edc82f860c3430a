//! Numbers that follow the dynamic sizes, and tensors of such in equal steps, computed by the graph itself.

use burn_ir::{OperationIr, ScalarIr};

use super::Context;
use super::sizes::shown;
use crate::ir::{Attributes, Constant, ElementType, Number, ValueId};
use crate::shapes::{Argument, Dim, Formula, Function, Ramp, Real, Steps};
use crate::{Error, Result};

impl Context<'_> {
    /// A number of the operation: a constant where it is fixed, and a tensor of one number that is computed from the sizes
    /// where it follows them.
    ///
    /// # Errors
    /// The numbers of the traces are no expression of the sizes that is known here.
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
            detail: format!(
                ": the traces show {}, which is neither `a + b * size` nor a whole number of the sizes, nor the \
                 reciprocal, root or logarithm of such",
                shown(&numbers)
            ),
        })?;
        Ok(Some(self.formula(&formula, dtype)?))
    }

    /// The same as a tensor of rank 0, where an operator takes no other.
    ///
    /// # Errors
    /// As [`scalar_of`](Self::scalar_of).
    pub fn rank_zero_of(
        &mut self,
        read: impl Fn(&OperationIr) -> Option<ScalarIr>,
        dtype: ElementType,
    ) -> Result<Option<ValueId>> {
        let Some(value) = self.scalar_of(read, dtype)? else { return Ok(None) };
        if self.value_shape(value).is_empty() {
            return Ok(Some(value));
        }
        let axes = self.constant(Constant::i64s(&[0]));
        Ok(Some(self.apply("Squeeze", &[value, axes], dtype, &[])))
    }

    fn formula(&mut self, formula: &Formula, dtype: ElementType) -> Result<ValueId> {
        let mut value = match &formula.argument {
            Argument::Whole(dim) => {
                let whole = self.integers(std::slice::from_ref(dim))?;
                self.cast(whole, dtype)
            }
            Argument::Sum { constant, symbol, coefficient } => {
                let size = self.size(*symbol);
                let mut value = self.cast(size, dtype);
                if *coefficient != 1.0 {
                    let coefficient = self.number(*coefficient, dtype);
                    value = self.same("Mul", &[value, coefficient], Attributes::new());
                }
                if *constant != 0.0 {
                    let constant = self.number(*constant, dtype);
                    value = self.same("Add", &[value, constant], Attributes::new());
                }
                value
            }
        };
        let operators: &[&str] = match formula.function {
            Function::Identity => &[],
            Function::Reciprocal => &["Reciprocal"],
            Function::Root => &["Sqrt"],
            Function::ReciprocalRoot => &["Sqrt", "Reciprocal"],
            Function::Logarithm => &["Log"],
        };
        for operator in operators {
            value = self.same(operator, &[value], Attributes::new());
        }
        Ok(value)
    }

    /// Numbers in equal steps up to a dynamic length.
    pub(super) fn ramp(&mut self, ramp: &Ramp, dtype: ElementType) -> Result<ValueId> {
        let length = std::slice::from_ref(&ramp.length);
        let mut numbers = self.range(&ramp.length)?;
        match &ramp.steps {
            Steps::Whole { start, step } => {
                if *step != 1 {
                    let step = self.constant(Constant::scalar(ElementType::I64, Number::Int((*step).into())));
                    numbers = self.apply("Mul", &[numbers, step], ElementType::I64, length);
                }
                if *start != Dim::Fixed(0) {
                    let start = self.integers(std::slice::from_ref(start))?;
                    numbers = self.apply("Add", &[numbers, start], ElementType::I64, length);
                }
                numbers = self.cast(numbers, dtype);
            }
            Steps::Real { start, step } => {
                numbers = self.cast(numbers, dtype);
                if *step != Real::Fixed(1.0) {
                    let step = self.real(step, dtype)?;
                    numbers = self.apply("Mul", &[numbers, step], dtype, length);
                }
                if *start != Real::Fixed(0.0) {
                    let start = self.real(start, dtype)?;
                    numbers = self.apply("Add", &[numbers, start], dtype, length);
                }
            }
        }
        if ramp.rank == 1 {
            return Ok(numbers);
        }
        let (mut target, mut shape) = (vec![1; ramp.rank], vec![Dim::Fixed(1); ramp.rank]);
        target[ramp.axis] = -1;
        shape[ramp.axis] = ramp.length.clone();
        let target = self.constant(Constant::i64s(&target));
        Ok(self.apply("Reshape", &[numbers, target], dtype, &shape))
    }

    fn real(&mut self, real: &Real, dtype: ElementType) -> Result<ValueId> {
        match real {
            Real::Fixed(number) => Ok(self.number(*number, dtype)),
            Real::Formula(formula) => self.formula(formula, dtype),
        }
    }
}

fn integer(scalar: &ScalarIr) -> Option<i64> {
    match scalar {
        ScalarIr::Int(value) => Some(*value),
        ScalarIr::UInt(value) => i64::try_from(*value).ok(),
        ScalarIr::Float(_) | ScalarIr::Bool(_) => None,
    }
}
