//! Every operation of Burn's IR: which lowering writes it, with which ONNX operators, or why none does.

use std::fmt::Write;

use burn_ir::{
    ActivationOperationIr, BaseOperationIr, BoolOperationIr, DistributedOperationIr, FloatOperationIr, IntOperationIr,
    ModuleOperationIr, NumericOperationIr, OperationIr,
};

use super::LOWERINGS;

/// What a lowering writes for one Burn operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Family and name in Burn's IR, such as `Module::Conv2d`. `Base` and `Numeric` stand for every kind of tensor.
    pub name: &'static str,
    /// The ONNX operators; those behind a `|` are for other attributes, types or opsets. Empty where none can.
    pub onnx: &'static str,
    /// The first opset that has every operator for every attribute.
    pub since: i64,
    /// Whether tract runs what is written.
    pub tract: bool,
    /// Whether the reference evaluator of `onnx` runs what is written.
    pub reference: bool,
    /// Whether Burn's capture device ever records it.
    pub recorded: bool,
}

impl Operation {
    /// An operation that is written at every opset and runs on every runtime.
    pub const fn new(name: &'static str, onnx: &'static str) -> Self {
        Self { name, onnx, since: 13, tract: true, reference: true, recorded: true }
    }

    /// An operation that no model file can hold.
    pub const fn refused(name: &'static str) -> Self {
        Self::new(name, "")
    }

    /// Names the first opset that has the operators for every attribute.
    pub const fn since(mut self, opset: i64) -> Self {
        self.since = opset;
        self
    }

    /// Says that Burn's capture device records other operations in its place, so that no test can reach it.
    pub const fn unrecorded(mut self) -> Self {
        self.recorded = false;
        self
    }

    /// Says that the reference evaluator of `onnx` lacks an operator, or computes it otherwise than the standard says.
    pub const fn beyond_reference(mut self) -> Self {
        self.reference = false;
        self
    }

    /// Says that tract lacks an operator.
    pub const fn beyond_tract(mut self) -> Self {
        self.tract = false;
        self
    }
}

/// The operation behind the name an error or [`Context::operation`](super::Context::operation) gives.
pub fn operation(name: &str) -> Option<&'static Operation> {
    let (family, variant) = name.split_once("::")?;
    let shared = ["Base", "Numeric"].into_iter().find(|shared| family.starts_with(shared));
    let family = shared.unwrap_or(family);
    let mut operations = LOWERINGS.iter().flat_map(|lowering| lowering.operations);
    operations.find(|operation| operation.name.split_once("::") == Some((family, variant)))
}

/// The table of `docs/operators.md`.
pub fn table() -> String {
    let mut text = String::from(HEAD);
    let names = names();
    let written: Vec<&Operation> =
        names.iter().filter_map(|name| operation(name)).filter(|operation| !operation.onnx.is_empty()).collect();
    let forward = names.iter().filter(|name| !is_gradient(name)).count();
    let _ = writeln!(
        text,
        "{} of the {forward} forward operations are written, {} are refused; burn-onnx 0.22 writes 40.\n",
        written.len(),
        forward - written.len()
    );
    text.push_str("| Burn operation | ONNX operators | opsets | tested on |\n|---|---|---|---|\n");
    for Operation { name, onnx, since, tract, reference, recorded } in written {
        let runtimes = match (recorded, tract, reference) {
            (false, ..) => "nothing: never recorded",
            (true, true, true) => "ONNX Runtime, tract, reference",
            (true, true, false) => "ONNX Runtime, tract",
            (true, false, true) => "ONNX Runtime, reference",
            (true, false, false) => "ONNX Runtime",
        };
        let _ = writeln!(text, "| `{name}` | {} | {since} to 24 | {runtimes} |", onnx.replace(" | ", " or "));
    }
    text.push_str(LAYERS);
    text.push_str(REFUSED);
    for name in names.iter().filter(|name| operation(name).is_some_and(|operation| operation.onnx.is_empty())) {
        let _ = writeln!(text, "- `{name}`");
    }
    text
}

const HEAD: &str = "# Operators

Every operation of Burn's IR and what the compiler writes for it. A test makes this file from the lowerings and keeps it
equal to them; it fails when Burn gains an operation. `Base` and `Numeric` stand for floats, integers and, in `Base`,
booleans. An operator behind an \"or\" is for other attributes, element types or opsets. The opsets are those at which every
attribute can be written that ONNX can express; some attributes can be earlier, and an error names the opset where one
cannot. `AvgPool1d` and `AvgPool2d` are refused where they round up and count pads over a dynamic size, `GridSample2d` with
the exact nearest pixel or Lanczos. `Interpolate` takes Burn's own nearest pixels of fixed sizes; of dynamic ones `Resize`
finds them in 32-bit numbers, and beside a border it may take the neighbour.

\"Tested on\" means on random numbers at several batch sizes: on ONNX Runtime at every opset, on tract at one, 17 or the first
that has the operation, and on the reference evaluator of `onnx`, the standard as code, at the first, the last and that one.
tract runs most of them on floats and 32-bit integers alone. Burn's capture device never records some operations, but others in
their place.

";

const LAYERS: &str = "
## Recurrent layers

Burn's IR has no recurrent layer; its modules run step by step. Where a trace holds all steps of such a layer in 32-bit floats, with
sigmoid and tanh as activations and without clipping or coupled gates, they become one operation before they are lowered, and so the
length of the sequence may be dynamic. Other layers stay as they were recorded. tract refuses an LSTM of one direction that starts from
zeros and whose last cell state is read; give it the states it starts from.

| Burn module | ONNX operators | opsets | tested on |
|---|---|---|---|
| `Lstm`, `BiLstm` | LSTM | 13 to 24 | ONNX Runtime, tract, reference |
| `Gru`, `BiGru` | GRU | 13 to 24 | ONNX Runtime, tract, reference |
| `Rnn`, `BiRnn` | RNN | 13 to 24 | ONNX Runtime, tract, reference |
";

const REFUSED: &str = "
## Refused

These have no place in a model file. The error names the operation, its module, why, and a way out; `Export::lowerings` takes
a lowering of your own. Gradients (`*Backward`) belong to training and are refused too.

";

/// Whether the operation computes a gradient.
pub(super) fn is_gradient(name: &str) -> bool {
    name.contains("Backward")
}

/// Lists the variants of an enum in a `match` without `_`, so that nothing compiles when Burn gains one.
macro_rules! variants {
    ($($list:ident $check:ident $kind:ident $family:literal: $($variant:ident)+;)+) => {
        $(
            const $list: &[&str] = &[$(concat!($family, "::", stringify!($variant))),+];

            fn $check(operation: &$kind) -> &'static str {
                match operation {
                    $($kind::$variant { .. } => concat!($family, "::", stringify!($variant)),)+
                }
            }
        )+
    };
}

variants! {
    BASE base BaseOperationIr "Base":
        Reshape SwapDims Permute Flip Expand Unfold Slice SliceAssign Select SelectAssign MaskWhere MaskFill
        Gather Scatter ScatterNd GatherNd Equal EqualElem RepeatDim Cat Cast Empty Ones Zeros NotEqual
        NotEqualElem All Any AllDim AnyDim;
    NUMERIC numeric NumericOperationIr "Numeric":
        Add AddScalar Sub SubScalar Div DivScalar Rem RemScalar Mul MulScalar Abs Full MeanDim Mean Sum SumDim
        SumDims Prod ProdDim Greater GreaterElem GreaterEqual GreaterEqualElem Lower LowerElem LowerEqual
        LowerEqualElem ArgMax ArgTopK TopK TopKWithIndices ArgMin Max MaxDimWithIndices MinDimWithIndices Min
        MaxDim MinDim MaxAbs MaxAbsDim Clamp IntRandom Powi PowiScalar CumSum CumProd CumMin CumMax Neg Sign
        ClampMin ClampMax Sort SortWithIndices ArgSort Pad;
    FLOAT float FloatOperationIr "Float":
        Exp Log Log1p Erf PowfScalar Sqrt Cos Cosh Sin Sinh Tan Tanh ArcCos ArcCosh ArcSin ArcSinh ArcTan
        ArcTanh ArcTan2 Round Floor Ceil Trunc IntoInt Matmul Cross Random Recip IsNan IsInf Quantize Dequantize
        GridSample2d Powf Hypot;
    INT int IntOperationIr "Int":
        IntoFloat BitwiseAnd BitwiseAndScalar BitwiseOr BitwiseOrScalar BitwiseXor BitwiseXorScalar BitwiseNot
        BitwiseLeftShift BitwiseLeftShiftScalar BitwiseRightShift BitwiseRightShiftScalar Matmul;
    BOOL bool BoolOperationIr "Bool":
        IntoFloat IntoInt Not And Or Xor;
    ACTIVATION activation ActivationOperationIr "Activation":
        Relu ReluBackward LeakyRelu PRelu Gelu GeluBackward Sigmoid SigmoidBackward HardSigmoid LogSigmoid
        LogSigmoidBackward Softmax LogSoftmax Softmin;
    MODULE module ModuleOperationIr "Module":
        BatchNorm Embedding EmbeddingBackward Linear LinearXBackward LinearWeightBackward LinearBiasBackward
        Conv1d Conv1dXBackward Conv1dWeightBackward Conv1dBiasBackward Conv2d Conv2dXBackward
        Conv2dWeightBackward Conv2dBiasBackward Conv3d Conv3dXBackward Conv3dWeightBackward Conv3dBiasBackward
        DeformableConv2d DeformableConv2dBackward ConvTranspose1d ConvTranspose2d ConvTranspose3d AvgPool1d
        AvgPool2d AvgPool1dBackward AvgPool2dBackward AdaptiveAvgPool1d AdaptiveAvgPool2d
        AdaptiveAvgPool1dBackward AdaptiveAvgPool2dBackward AdaptiveAvgPool3d AdaptiveAvgPool3dBackward
        MaxPool1d MaxPool1dWithIndices MaxPool1dWithIndicesBackward MaxPool2d MaxPool2dWithIndices
        MaxPool2dWithIndicesBackward Interpolate InterpolateBackward Attention CtcLoss CtcLossBackward LayerNorm
        Unfold4d ConvTranspose1dWeightBackward ConvTranspose1dBiasBackward ConvTranspose2dWeightBackward
        ConvTranspose2dBiasBackward ConvTranspose3dWeightBackward ConvTranspose3dBiasBackward;
    DISTRIBUTED distributed DistributedOperationIr "Distributed":
        AllReduce SyncCollective;
}

/// Every operation in the order of Burn's enums.
fn names() -> Vec<&'static str> {
    [BASE, NUMERIC, FLOAT, INT, BOOL, ACTIVATION, MODULE, DISTRIBUTED].concat()
}

/// The name under which an operation is listed; bookkeeping and custom operations are not.
pub(super) fn listed_name(operation: &OperationIr) -> Option<&'static str> {
    match operation {
        OperationIr::BaseFloat(ir) | OperationIr::BaseInt(ir) | OperationIr::BaseBool(ir) => Some(base(ir)),
        OperationIr::NumericFloat(_, ir) | OperationIr::NumericInt(_, ir) => Some(numeric(ir)),
        OperationIr::Bool(ir) => Some(bool(ir)),
        OperationIr::Int(ir) => Some(int(ir)),
        OperationIr::Float(_, ir) => Some(float(ir)),
        OperationIr::Module(ir) => Some(module(ir)),
        OperationIr::Distributed(ir) => Some(distributed(ir)),
        OperationIr::Activation(ir) => Some(activation(ir)),
        OperationIr::Init(_) | OperationIr::Custom(_) | OperationIr::Drop(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_operation_of_burn_is_listed_once_and_nothing_else() {
        let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
        let operations = LOWERINGS.iter().flat_map(|lowering| lowering.operations);
        operations.for_each(|operation| *listed.entry(operation.name).or_default() += 1);
        let names = names();
        let mut wrong: Vec<String> = names
            .iter()
            .filter(|name| !is_gradient(name) && listed.get(*name) != Some(&1))
            .map(|name| format!("{name} is listed {} times", listed.get(name).copied().unwrap_or_default()))
            .collect();
        wrong.extend(listed.keys().filter(|name| !names.contains(*name)).map(|name| format!("{name} is unknown")));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_document_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operators.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, table()).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap();
        assert_eq!(found, table(), "run the tests with UPDATE_DOCS=1 to write docs/operators.md anew");
    }
}
