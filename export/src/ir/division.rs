//! Divisions of known integers that no processor can do: ONNX Runtime ends the process there.

use super::{Constant, ElementType, Graph, Node};

/// What is wrong with a division of integers, if its operands are known.
pub(super) fn impossible(graph: &Graph, node: &Node) -> Option<&'static str> {
    if !node.domain.is_empty() || !["Div", "Mod"].contains(&node.op.as_str()) {
        return None;
    }
    let integers = |index| node.input(index).and_then(|id| graph.constant(id)).filter(|it| !it.dtype().is_float());
    let divisor = integers(1)?;
    if has(divisor, |bytes| bytes.iter().all(|byte| *byte == 0)) {
        return Some("divides integers by zero");
    }
    // Narrower ones are divided as integers of 32 bits.
    let wide = matches!(divisor.dtype(), ElementType::I32 | ElementType::I64);
    let by_minus_one = wide && has(divisor, |bytes| bytes.iter().all(|byte| *byte == 0xff));
    let of_the_least = |bytes: &[u8]| matches!(bytes, [rest @ .., 0x80] if rest.iter().all(|byte| *byte == 0));
    (by_minus_one && integers(0).is_some_and(|dividend| has(dividend, of_the_least)))
        .then_some("divides the least integer by -1")
}

/// Whether a number of the tensor has such bytes.
fn has(constant: &Constant, such: impl Fn(&[u8]) -> bool) -> bool {
    constant.bytes().chunks_exact(constant.dtype().size()).any(such)
}
