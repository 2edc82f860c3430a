//! Operations that a model file cannot hold, each with its reason and a way out.

use burn_ir::{FloatOperationIr, ModuleOperationIr, NumericOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, catalog, family};
use crate::Result;

pub(super) const LOWERING: Lowering = Lowering { name: "refuse", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::refused("Float::Random"),
    Operation::refused("Numeric::IntRandom"),
    Operation::refused("Float::Quantize"),
    Operation::refused("Float::Dequantize"),
    Operation::refused("Module::CtcLoss"),
    Operation::refused("Distributed::AllReduce"),
    Operation::refused("Distributed::SyncCollective"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    match reason(operation) {
        Some(reason) => {
            Err(context.unsupported(format!("{reason}, or register a lowering for it with `Export::lowerings`")))
        }
        None => Ok(Lowered::NotMine),
    }
}

/// Why an operation has no place in a model file, and what to do instead.
fn reason(operation: &OperationIr) -> Option<&'static str> {
    let random = "a frozen model rolls no dice; draw the numbers outside and make them an input";
    match operation {
        OperationIr::Float(_, FloatOperationIr::Random(_)) => Some(random),
        OperationIr::Float(_, FloatOperationIr::Quantize(_) | FloatOperationIr::Dequantize(_)) => {
            Some("Burn packs quantised numbers in a layout of its own; export the module before it is quantised")
        }
        OperationIr::Module(ModuleOperationIr::CtcLoss(_)) => {
            Some("ONNX has no such loss; return the logarithms of the probabilities and compute the loss outside")
        }
        OperationIr::Distributed(_) => {
            Some("a model file runs in one process; export the module outside of the distributed run")
        }
        _ if matches!(family::numeric(operation), Some(NumericOperationIr::IntRandom(_))) => Some(random),
        _ => catalog::listed_name(operation)
            .is_some_and(catalog::is_gradient)
            .then_some("gradients belong to training; export `module.valid()`"),
    }
}
