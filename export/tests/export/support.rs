//! What every test of a compiled model needs: compile, run on every runtime, compare with Burn.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::kind::Basic;
use burn::tensor::{Device, Tensor, TensorData};
use burn_ir::OperationIr;
use selfie_export::lower::{Context, Lowered, Lowering, operation};
use selfie_export::verify::{Case, OnnxRuntime, Runner, Tolerance, TractRunner, verify};
use selfie_export::{Error, Export, Inputs, Model, Outputs, run_eager};
use serde_json::json;

use crate::data_set;

/// The tolerance of a single operation.
pub const EXACT: Tolerance = Tolerance { absolute: 1e-5, relative: 1e-5 };
/// The tolerance of a whole network.
pub const NETWORK: Tolerance = Tolerance { absolute: 1e-4, relative: 1e-4 };

/// The batch sizes at which a model with the dynamic axis `batch` is compared.
pub const BATCHES: &[&[(&str, usize)]] = &[&[("batch", 1)], &[("batch", 2)], &[("batch", 7)]];

/// The runtimes of this machine; says loudly what is missing.
pub fn runners() -> Vec<Box<dyn Runner>> {
    let mut runners: Vec<Box<dyn Runner>> = vec![Box::new(TractRunner)];
    match OnnxRuntime::from_env().expect("ORT_DYLIB_PATH names a library that loads") {
        Some(runtime) => runners.push(Box::new(runtime)),
        None => eprintln!("SKIPPED: ONNX Runtime, for ORT_DYLIB_PATH is not set; only tract is compared with Burn"),
    }
    runners
}

/// The runtimes that can run what the operations become; says loudly which one cannot.
fn runners_of(operations: &BTreeSet<String>) -> Vec<Box<dyn Runner>> {
    let beyond = |name: &&String| operation(name).is_some_and(|operation| !operation.tract);
    match operations.iter().find(beyond) {
        None => runners(),
        Some(name) => {
            eprintln!("ONNX Runtime alone: tract does not run what {name} becomes");
            runners().into_iter().filter(|runner| runner.name() != "tract").collect()
        }
    }
}

/// What differs between Burn and the runtimes, one line a difference.
pub fn differences<M: Module, I: Inputs, O: Outputs>(
    module: &M,
    model: &Model,
    forward: impl Fn(&M, I) -> O,
    sizes: &[&[(&str, usize)]],
    tolerance: Tolerance,
) -> Vec<String> {
    differences_on(runners(), module, model, forward, sizes, tolerance)
}

/// What differs between Burn and these runtimes, one line a difference.
pub fn differences_on<M: Module, I: Inputs, O: Outputs>(
    mut runners: Vec<Box<dyn Runner>>,
    module: &M,
    model: &Model,
    forward: impl Fn(&M, I) -> O,
    sizes: &[&[(&str, usize)]],
    tolerance: Tolerance,
) -> Vec<String> {
    if model.graph().nodes.iter().any(|node| node.op == "Attention") {
        eprintln!("ONNX Runtime alone: tract has no Attention");
        runners.retain(|runner| runner.name() != "tract");
    }
    compare(model, &cases(module, model, forward, sizes), &runners, tolerance)
}

/// Drawn inputs of every size, and what Burn gives for them.
pub fn cases<M: Module, I: Inputs, O: Outputs>(
    module: &M,
    model: &Model,
    forward: impl Fn(&M, I) -> O,
    sizes: &[&[(&str, usize)]],
) -> Vec<Case> {
    let device = Device::flex();
    let sizes = sizes.iter().enumerate();
    sizes
        .map(|(seed, sizes)| {
            let inputs = model.random_inputs(sizes, seed as u64).expect("random inputs");
            let expected = run_eager(module, &device, &forward, inputs.clone()).expect("Burn runs");
            Case::new(inputs, expected)
        })
        .collect()
}

fn compare(model: &Model, cases: &[Case], runners: &[Box<dyn Runner>], tolerance: Tolerance) -> Vec<String> {
    let bytes = model.to_bytes().expect("the model encodes");
    if let Some(folder) = std::env::var_os("EXPORT_TEST_DUMP") {
        let name = std::thread::current().name().unwrap_or("test").replace("::", "_");
        let opset = model.graph().opset;
        let path = std::path::Path::new(&folder).join(format!("{name}-{opset}-{}.onnx", bytes.len()));
        std::fs::write(path, &bytes).expect("the dump folder can be written");
    }
    let mut wrong = Vec::new();
    for runner in runners {
        match verify(&bytes, cases, &[runner.as_ref()], tolerance) {
            Ok(rows) => wrong.extend(rows.into_iter().filter(|row| !row.ok).map(|row| format!("{row:?}"))),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    wrong
}

thread_local! {
    /// The operations that the compiler was asked for on this thread.
    static ASKED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Takes no operation, and notes all of them.
fn note(context: &mut Context<'_>, _: &OperationIr) -> Result<Lowered, Error> {
    ASKED.with_borrow_mut(|asked| asked.insert(context.operation().to_string()));
    Ok(Lowered::NotMine)
}

/// Starts an export whose operations a [`Table`] notes.
pub fn export<M: Module>(module: &M) -> Export<'_, M> {
    Export::new(module).lowerings(&[Lowering { name: "note", operations: &[], lower: note }])
}

/// A module without parameters, for tests of operations alone.
pub fn nothing() -> burn::nn::Relu {
    burn::nn::Relu::new()
}

/// Makes a test of every function of a file that fills a [`Table`], and a list of them.
macro_rules! tables {
    ($($name:ident),+ $(,)?) => {
        /// The tables of this file.
        pub const TABLES: &[fn(&mut crate::support::Table)] = &[$($name),+];

        mod tests {
            $(
                #[test]
                fn $name() {
                    let mut table = crate::support::Table::default();
                    super::$name(&mut table);
                    table.finish();
                }
            )+
        }
    };
}
pub(crate) use tables;

/// The opset at which models are compared on every runtime; ONNX Runtime compares the others.
const MAIN_OPSET: i64 = 17;

/// What becomes of the cases of a table.
#[derive(Default)]
enum Mode {
    /// They run on every runtime.
    #[default]
    Run,
    /// They are compiled only, to see which operations they cover.
    List,
    /// They are written into a folder, for code that is not ours.
    Write(PathBuf),
}

/// Collects the failures of a table of cases, so that one run shows all of them.
#[derive(Default)]
pub struct Table {
    failures: Vec<String>,
    mode: Mode,
    /// How many cases were written.
    written: usize,
    /// Why tract does not run the next case.
    beyond_tract: Option<&'static str>,
    /// The operations of all cases.
    pub covered: BTreeSet<String>,
}

impl Table {
    /// A table that compiles its cases and runs none.
    pub fn listing() -> Self {
        Self { mode: Mode::List, ..Self::default() }
    }

    /// A table that writes its cases into a folder, one folder each, at the first, the main and the last opset.
    pub fn writing(folder: PathBuf) -> Self {
        Self { mode: Mode::Write(folder), ..Self::default() }
    }

    /// Leaves tract out of the next case, and says why.
    pub fn beyond_tract(&mut self, reason: &'static str) -> &mut Self {
        self.beyond_tract = Some(reason);
        self
    }

    /// Compiles `forward` with a dynamic first axis at every opset and compares it at several batch sizes.
    pub fn case<const D: usize, O: Outputs>(
        &mut self,
        name: &str,
        shape: [usize; D],
        forward: impl Fn(Tensor<D>) -> O,
    ) {
        self.case_since(13, name, Tensor::<D>::zeros(shape, &Device::flex()), forward);
    }

    /// Compiles a function of any kind of tensor with a dynamic first axis at every opset from `since` on.
    pub fn case_since<const D: usize, K: Basic, O: Outputs>(
        &mut self,
        since: i64,
        name: &str,
        example: Tensor<D, K>,
        forward: impl Fn(Tensor<D, K>) -> O,
    ) {
        let count = forward(example.clone()).into_tensors().len();
        let names: Vec<String> = (0..count).map(|index| format!("y{index}")).collect();
        let wrapped = |_: &burn::nn::Relu, x: Tensor<D, K>| forward(x);
        let module = nothing();
        let compile = |opset| {
            let export = export(&module).opset(opset).input("x", example.clone(), [(0, "batch")]);
            export.outputs(names.clone()).compile(wrapped)
        };
        self.check(since, name, compile, |model, sizes| cases(&module, model, wrapped, sizes));
    }

    /// Compiles a layer with a dynamic first axis and compares it at several batch sizes.
    pub fn layer<M: Module, const D: usize, O: Outputs>(
        &mut self,
        name: &str,
        module: &M,
        shape: [usize; D],
        forward: impl Fn(&M, Tensor<D>) -> O,
    ) {
        let example = Tensor::<D>::zeros(shape, &Device::flex());
        let compile = |opset| {
            let export = export(module).opset(opset).input("x", example.clone(), [(0, "batch")]);
            export.outputs(["y"]).compile(&forward)
        };
        self.check(13, name, compile, |model, sizes| cases(module, model, &forward, sizes));
    }

    /// Compares fixed inputs at every opset, for operations that Burn's CPU device lacks or that want chosen numbers.
    pub fn expect(
        &mut self,
        since: i64,
        name: &str,
        compile: impl Fn(i64) -> Result<Model, Error>,
        inputs: Vec<TensorData>,
        expected: Vec<TensorData>,
    ) {
        self.check(since, name, compile, |_, _| vec![Case::new(inputs.clone(), expected.clone())]);
    }

    fn check(
        &mut self,
        since: i64,
        name: &str,
        compile: impl Fn(i64) -> Result<Model, Error>,
        cases: impl Fn(&Model, &[&[(&str, usize)]]) -> Vec<Case>,
    ) {
        self.sized(since, name, BATCHES, compile, cases);
    }

    /// Compiles a model at every opset from `since` on and compares its cases at several sizes, of which the second is
    /// that of most opsets.
    pub fn sized(
        &mut self,
        since: i64,
        name: &str,
        sizes: &[&[(&str, usize)]],
        compile: impl Fn(i64) -> Result<Model, Error>,
        cases: impl Fn(&Model, &[&[(&str, usize)]]) -> Vec<Case>,
    ) {
        let main = since.max(MAIN_OPSET);
        let model = compile(main);
        let asked = self.asked();
        match &self.mode {
            Mode::Run => {}
            Mode::List => {
                self.beyond_tract = None;
                self.judge(name, model, |_| vec![]);
                return;
            }
            Mode::Write(folder) => {
                let folder = folder.clone();
                self.beyond_tract = None;
                for opset in BTreeSet::from([since, main, 24]) {
                    let about = json!({ "name": name, "opset": opset, "operations": asked });
                    let folder = folder.join(format!("{:04}", self.written));
                    self.written += 1;
                    self.judge(name, compile(opset), |model| {
                        data_set::write(&folder, model, &cases(model, &sizes[1..2]));
                        std::fs::write(folder.join("about.json"), about.to_string()).expect("the folder is ours");
                        vec![]
                    });
                }
                return;
            }
        }
        let mut runners = runners_of(&asked);
        if let Some(reason) = self.beyond_tract.take() {
            eprintln!("ONNX Runtime alone: {name}: {reason}");
            runners.retain(|runner| runner.name() != "tract");
        }
        self.judge(name, model, |model| compare(model, &cases(model, sizes), &runners, EXACT));
        let others = runners.into_iter().filter(|runner| runner.name() != "tract").collect::<Vec<_>>();
        for opset in (since..=24).filter(|opset| *opset != main && !others.is_empty()) {
            let name = format!("{name} at opset {opset}");
            self.judge(&name, compile(opset), |model| compare(model, &cases(model, &sizes[1..2]), &others, EXACT));
        }
    }

    /// Takes the operations that were compiled since the last call.
    fn asked(&mut self) -> BTreeSet<String> {
        let asked = ASKED.take();
        self.covered.extend(asked.iter().cloned());
        asked
    }

    /// Notes what is wrong with one case.
    pub fn judge(&mut self, name: &str, model: Result<Model, Error>, compare: impl FnOnce(&Model) -> Vec<String>) {
        self.asked();
        match model {
            Err(error) => self.failures.push(format!("{name}: {error}")),
            Ok(_) if matches!(self.mode, Mode::List) => {}
            Ok(model) => {
                let wrong = compare(&model);
                if !wrong.is_empty() {
                    self.failures.push(format!("{name}: {}\n{}", wrong.join("\n"), model.graph().dump()));
                }
            }
        }
    }

    /// Fails the test with every failure.
    pub fn finish(self) {
        assert!(self.failures.is_empty(), "{} cases fail:\n{}", self.failures.len(), self.failures.join("\n\n"));
    }
}
