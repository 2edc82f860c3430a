//! Everything that can go wrong between a Burn module and an ONNX file.

use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the compiler, of the verification or of the inspection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request itself is wrong: names, axes, examples.
    #[error("export request: {0}")]
    Request(String),
    /// The module lives on a device with automatic differentiation.
    #[error("the module is on an autodiff device; export `module.valid()` instead")]
    Autodiff,
    /// The parameters of the module lie on several devices.
    #[error("the parameters of the module lie on {} devices ({}); move it to one with `to_device`", .0.len(), .0.join(", "))]
    SeveralDevices(Vec<String>),
    /// A weight of the module is quantised.
    #[error("`{0}` is quantised; export the module with its floats, and let `Model::to_int8` quantise the file")]
    Quantised(String),
    /// Burn panicked while it recorded the module.
    #[error("recording the module with {sizes} failed: {message}")]
    Capture {
        /// The sizes of the dynamic axes at which it failed.
        sizes: String,
        /// What Burn said.
        message: String,
    },
    /// The module reads the numbers of a tensor that depends on an input.
    #[error(
        "the module reads the numbers of a tensor while it runs, and those of an input are only known when the file runs: \
         choose with `mask_where`, `gather` or `select` instead of in Rust. Burn itself reads numbers in `one_hot`, \
         `one_hot_fill`, `nonzero`, `argwhere`, `mask_select`, `categorical` and `all_close`; `x.one_hot(n)` is also \
         `x.unsqueeze_dim(D)` compared by `equal` with `Tensor::arange(0..n)`"
    )]
    ReadsNumbers,
    /// The module runs at the first sizes of the dynamic axes and panics at others.
    #[error(
        "the module runs with {first} but not with {sizes}: {message}; where it fixes the size of an axis, leave that axis out \
         of the dynamic ones"
    )]
    FixedAxis {
        /// The sizes at which it runs.
        first: String,
        /// The sizes at which it fails.
        sizes: String,
        /// What Burn said.
        message: String,
    },
    /// The closure asked for a tensor that the inputs do not hold, or returned one that cannot be an output.
    #[error("{place}: expected {expected}, found {found}")]
    Signature {
        /// Which input or output.
        place: String,
        /// What the closure or the request declares.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The module takes another path at another size.
    #[error(
        "the path of the module depends on the size of a dynamic axis: {0}; make the axis fixed or the path independent of it"
    )]
    PathDependsOnSize(Box<Divergence>),
    /// The module repeats operations once for every element of a dynamic axis.
    #[error(
        "the module loops over a dynamic axis: {few}, {many}; a file cannot repeat steps whose number is only known later \
         (of recurrent layers only those with sigmoid and tanh, without clipping and coupled gates, become one operator): \
         make the axis fixed and pad to it, or export one step with its state as inputs and outputs"
    )]
    LoopOverAxis {
        /// The number of operations at the first sizes.
        few: String,
        /// The number of operations at other sizes.
        many: String,
        /// Where the traces differ first.
        #[source]
        source: Box<Error>,
    },
    /// A number inside an operation depends on the size in a way ONNX or this compiler cannot express.
    #[error("operation {index} {operation} (in module `{path}`): {what} depends on the size of a dynamic axis{detail}")]
    SizeDependent {
        /// Position of the operation in the trace.
        index: usize,
        /// Name of the operation.
        operation: String,
        /// Source module.
        path: String,
        /// Which attribute, shape or constant.
        what: String,
        /// What was seen.
        detail: String,
    },
    /// No lowering takes the operation.
    #[error(
        "operation {index} {operation} (in module `{path}`) has no lowering to ONNX; register one with \
         `Export::lowerings`, or write the module with operations that are lowered"
    )]
    NotLowered {
        /// Position of the operation in the trace.
        index: usize,
        /// Name of the operation.
        operation: String,
        /// Source module.
        path: String,
    },
    /// A lowering exists but not for these attributes, types or shapes.
    #[error("operation {index} {operation} (in module `{path}`) cannot be lowered: {reason}")]
    Unsupported {
        /// Position of the operation in the trace.
        index: usize,
        /// Name of the operation.
        operation: String,
        /// Source module.
        path: String,
        /// Why.
        reason: String,
    },
    /// The graph broke one of its own rules.
    #[error("the graph is invalid after {stage}: {reason}")]
    InvalidGraph {
        /// The lowering or the pass that left it so.
        stage: String,
        /// What is wrong.
        reason: String,
    },
    /// A pass that was named does not exist.
    #[error("no pass is called `{0}`; the passes are: {1}")]
    UnknownPass(String, String),
    /// A target that was named does not exist.
    #[error("no target is called `{name}`; the targets are: {known}; runtimes that are not among them need none")]
    UnknownTarget {
        /// What was named.
        name: String,
        /// The names there are.
        known: String,
    },
    /// An opset that the runtime which the file is written for does not read.
    #[error("{target} does not read opset {opset}; it reads {first} to {last}")]
    TargetOpset {
        /// The target.
        target: &'static str,
        /// The opset of the graph.
        opset: i64,
        /// The first that it reads.
        first: i64,
        /// The last.
        last: i64,
    },
    /// An opset that is not supported.
    #[error("opset {opset} is not supported; the supported ones are {first} to {last}")]
    UnsupportedOpset {
        /// The opset.
        opset: i64,
        /// The first that is.
        first: i64,
        /// The last.
        last: i64,
    },
    /// A node of a file with an opset before 13 that opset 13 has no counterpart of.
    #[error("{node} of opset {opset} has no counterpart in opset 13: {reason}")]
    OldOperator {
        /// The node.
        node: String,
        /// The opset of the file.
        opset: i64,
        /// Why.
        reason: String,
    },
    /// An element type without an ONNX counterpart in this compiler.
    #[error("element type {0} has no ONNX counterpart here")]
    UnsupportedElementType(String),
    /// A weight that a smaller type cannot hold.
    #[error(
        "`{weight}` of {node} holds {value}, more than {dtype} can; keep that module or operator in float32, or take bfloat16"
    )]
    Overflow {
        /// Name of the weight.
        weight: String,
        /// The node that reads it.
        node: String,
        /// The number.
        value: f32,
        /// The smaller type.
        dtype: &'static str,
    },
    /// Inputs that no scale can be found from.
    #[error("calibration: {0}")]
    Calibration(String),
    /// The bytes would pass the 2 GiB that protobuf can hold.
    #[error(
        "the model needs {bytes} bytes, more than the 2 GiB one ONNX file can hold; write it with `Model::save`, which puts \
         the weights into a second file"
    )]
    TooLarge {
        /// Size of the encoded model.
        bytes: u64,
    },
    /// A file could not be read or written.
    #[error("{action} {}", path.display())]
    Io {
        /// Reading or writing.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Bytes that are no ONNX model.
    #[error("not a valid ONNX model: {0}")]
    Decode(String),
    /// A runtime could not be started, or could not load or run the model.
    #[error("{runner}: {action} failed: {message}")]
    Runner {
        /// Name of the runtime.
        runner: &'static str,
        /// What it was doing.
        action: &'static str,
        /// What it said.
        message: String,
    },
}

/// The first operation that differs between two traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Position of the operation in the trace.
    pub index: usize,
    /// Source module.
    pub path: String,
    /// The operation at the first sizes.
    pub first: String,
    /// The first sizes.
    pub first_sizes: String,
    /// The operation at the other sizes.
    pub second: String,
    /// The other sizes.
    pub second_sizes: String,
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { index, path, first, first_sizes, second, second_sizes } = self;
        write!(
            f,
            "operation {index} (in module `{path}`) is {first} with {first_sizes} but {second} with {second_sizes}"
        )
    }
}
