//! What two traces say about the same operation.

use burn::tensor::Shape;
use burn_ir::{IrVisitorMut, OperationIr, TensorId, TensorIr, TensorStatus};
use serde_json::Value as Json;

/// How the attributes of an operation differ between two traces.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// They are the same.
    None,
    /// These numbers differ, by path inside the operation.
    Numbers(Vec<String>),
    /// Something that is no number differs.
    Other(String),
    /// They are not the same operation.
    Operation,
}

/// The name of an operation, such as `Module::Conv2d`.
pub(crate) fn operation_name(operation: &OperationIr) -> String {
    let text = format!("{operation:?}");
    let mut parts = text.split(['(', ' ', ',', ')', '{']).filter(|part| !part.is_empty());
    let family = parts.next().unwrap_or("Operation");
    match operation {
        OperationIr::Custom(custom) => format!("Custom::{}", custom.id),
        OperationIr::Init(_) | OperationIr::Drop(_) => family.to_string(),
        OperationIr::NumericFloat(..) | OperationIr::NumericInt(..) | OperationIr::Float(..) => {
            format!("{family}::{}", parts.nth(1).unwrap_or("?"))
        }
        _ => format!("{family}::{}", parts.next().unwrap_or("?")),
    }
}

/// Compares two operations without their tensors.
pub(super) fn difference(first: &OperationIr, second: &OperationIr) -> Difference {
    let (first, second) = (without_tensors(first), without_tensors(second));
    if first == second {
        return Difference::None;
    }
    if operation_name(&first) != operation_name(&second) {
        return Difference::Operation;
    }
    match (serde_json::to_value(&first), serde_json::to_value(&second)) {
        (Ok(a), Ok(b)) => {
            let mut numbers = Vec::new();
            match compare(&a, &b, "", &mut numbers) {
                Ok(()) => Difference::Numbers(numbers),
                Err(path) => Difference::Other(path),
            }
        }
        _ => Difference::Other("an attribute".to_string()),
    }
}

fn without_tensors(operation: &OperationIr) -> OperationIr {
    struct Blank;
    impl IrVisitorMut for Blank {
        fn visit_tensor_mut(&mut self, tensor: &mut TensorIr) {
            tensor.id = TensorId::new(0);
            tensor.shape = Shape::from(Vec::<usize>::new());
            tensor.status = TensorStatus::NotInit;
        }
    }
    let mut operation = operation.clone();
    operation.visit_mut(&mut Blank);
    operation
}

fn compare(a: &Json, b: &Json, path: &str, numbers: &mut Vec<String>) -> Result<(), String> {
    match (a, b) {
        (a, b) if a == b => Ok(()),
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .try_for_each(|(index, (a, b))| compare(a, b, &format!("{path}[{index}]"), numbers)),
        (Json::Object(a), Json::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().zip(b.values()).try_for_each(|((key, a), b)| compare(a, b, &format!("{path}.{key}"), numbers))
        }
        (Json::Number(_), Json::Number(_)) => {
            numbers.push(path.to_string());
            Ok(())
        }
        _ => Err(path.to_string()),
    }
}
