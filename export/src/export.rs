//! The request: what to export, under which names, with which dynamic axes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::kind::Basic;

use crate::capture::record;
use crate::inputs::{Input, plan, symbols};
use crate::ir::{DEFAULT_OPSET, Graph};
use crate::lower::{self, Lowering, lower};
use crate::passes::{Driver, PassReport, Target};
use crate::shapes::{Samples, Symbol, align};
use crate::{Axis, DynTensor, Error, Inputs, Model, Outputs, Result};

/// The versions of ONNX's operators that can be chosen.
pub(crate) const OPSETS: RangeInclusive<i64> = 13..=24;

/// # Errors
/// [`Error::UnsupportedOpset`]: the opset is not among these.
pub(crate) fn check_opset(opset: i64, supported: RangeInclusive<i64>) -> Result<()> {
    match supported.contains(&opset) {
        true => Ok(()),
        false => Err(Error::UnsupportedOpset { opset, first: *supported.start(), last: *supported.end() }),
    }
}

/// Compiles a Burn module to ONNX.
///
/// Give every input in the order of the closure of [`compile`](Export::compile), name the outputs in the order in which
/// it returns them, then compile.
pub struct Export<'m, M> {
    module: &'m M,
    inputs: Vec<Input>,
    outputs: Vec<String>,
    metadata: BTreeMap<String, String>,
    name: String,
    doc: String,
    opset: Option<i64>,
    lowerings: Vec<Lowering>,
    driver: Driver,
}

/// How many sizes in a row are recorded where fewer show no expression behind a number: what is divided and rounded down
/// is known after two periods of its divisor.
const RUNS: [usize; 3] = [4, 16, 72];

impl<'m, M: Module> Export<'m, M> {
    /// Starts an export of a module that is on one device without automatic differentiation.
    pub fn new(module: &'m M) -> Self {
        Self {
            module,
            inputs: vec![],
            outputs: vec![],
            metadata: BTreeMap::new(),
            name: "main".to_string(),
            doc: String::new(),
            opset: None,
            lowerings: vec![],
            driver: Driver::default(),
        }
    }

    /// Adds an input: its name, an example of its shape and type, and the axes whose size stays open.
    ///
    /// An axis is a pair `(index, name)` or an [`Axis`]; write `[(0, "batch")]`, or `Axis::new(..)` to choose the sizes
    /// at which the module is recorded. [`fixed_input`](Export::fixed_input) adds an input without open axes.
    pub fn input<const D: usize, K: Basic, A: Into<Axis>, const N: usize>(
        mut self,
        name: &str,
        example: Tensor<D, K>,
        axes: [A; N],
    ) -> Self {
        let (dims, dtype, device) = (example.dims().to_vec(), example.dtype(), example.device());
        self.inputs.push(Input { name: name.to_string(), dims, dtype, device, axes: axes.map(Into::into).to_vec() });
        self
    }

    /// Adds an input whose every size is that of the example.
    pub fn fixed_input<const D: usize, K: Basic>(self, name: &str, example: Tensor<D, K>) -> Self {
        self.input::<D, K, Axis, 0>(name, example, [])
    }

    /// Names the outputs.
    pub fn outputs<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.outputs = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an entry to the metadata of the file.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Names the graph; `main` unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Describes the model for people.
    pub fn doc(mut self, doc: impl Into<String>) -> Self {
        self.doc = doc.into();
        self
    }

    /// Chooses the version of ONNX's operators, from 13 to 24. Unless set it is 17, or what the target wants.
    pub fn opset(mut self, opset: i64) -> Self {
        self.opset = Some(opset);
        self
    }

    /// Writes for this runtime: with operators and an opset that it reads. Other runtimes run the file all the same.
    pub fn target(mut self, target: &Target) -> Self {
        self.driver.target = Some(target.clone());
        self
    }

    /// Adds lowerings, which are asked before those of this crate.
    pub fn lowerings(mut self, lowerings: &[Lowering]) -> Self {
        self.lowerings.extend_from_slice(lowerings);
        self
    }

    /// Stops after the pass of this name ran for the first time, to find a pass that breaks a model.
    pub fn stop_after(mut self, pass: impl Into<String>) -> Self {
        self.driver.stop_after = Some(pass.into());
        self
    }

    /// Runs these passes alone, in the order of [`PIPELINE`](crate::passes::PIPELINE).
    pub fn only(mut self, passes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.driver.only = Some(passes.into_iter().map(Into::into).collect());
        self
    }

    /// Keeps the graph as lowered and runs no pass.
    pub fn without_passes(mut self) -> Self {
        self.driver.skip = true;
        self
    }

    /// Keeps the text of the graph before the first pass and after every pass that changed it.
    pub fn dumps(mut self) -> Self {
        self.driver.dump = true;
        self
    }

    /// Records, lowers and simplifies the module.
    ///
    /// The closure runs the module the way the file shall compute it; it runs once for every set of sizes, for more of them
    /// where the first show no expression behind a number, and never on real numbers.
    ///
    /// # Errors
    /// Whatever the request, Burn, a lowering or a pass refuses; see [`Error`].
    pub fn compile<I: Inputs, O: Outputs>(self, forward: impl Fn(&M, I) -> O) -> Result<Model> {
        let opset =
            self.opset.unwrap_or_else(|| self.driver.target.as_ref().map_or(DEFAULT_OPSET, |target| target.opset));
        check_opset(opset, OPSETS)?;
        self.driver.target.as_ref().map_or(Ok(()), |target| target.check(opset))?;
        let (symbols, choices) = symbols(&self.inputs)?;
        let attempt = |samples: Samples| self.attempt(&forward, opset, symbols.clone(), samples);
        let mut graph = match attempt(Samples::plan(&choices)) {
            Err(error @ Error::SizeDependent { .. }) if !choices.is_empty() => {
                let found = RUNS.iter().find_map(|run| attempt(Samples::dense(&choices, *run)).ok());
                found.ok_or(error)?
            }
            found => found?,
        };
        let report: PassReport = self.driver.run(&mut graph)?;
        Ok(Model::new(graph, self.name, self.doc, self.metadata, report))
    }

    /// Records the module at these sizes, and lowers what it does.
    fn attempt<I: Inputs, O: Outputs>(
        &self,
        forward: impl Fn(&M, I) -> O,
        opset: i64,
        symbols: Vec<Symbol>,
        samples: Samples,
    ) -> Result<Graph> {
        let erased = |module: &M, tensors: Vec<DynTensor>| -> Result<Vec<DynTensor>> {
            Ok(forward(module, I::from_tensors(tensors)?).into_tensors())
        };
        let recording = record(self.module, &plan(&self.inputs, &symbols, samples), &erased)?;
        let returned = recording.traces.first().map_or(0, |trace| trace.outputs.len());
        if returned != self.outputs.len() {
            return Err(Error::Signature {
                place: "the closure".to_string(),
                expected: format!("{} outputs, as named", self.outputs.len()),
                found: returned.to_string(),
            });
        }
        let input_names: Vec<String> = self.inputs.iter().map(|input| input.name.clone()).collect();
        check_names(&input_names, &self.outputs)?;
        let interface = lower::Target {
            input_names: &input_names,
            output_names: &self.outputs,
            symbols,
            opset,
            lowerings: &self.lowerings,
        };
        lower(align(recording)?, interface)
    }
}

fn check_names(inputs: &[String], outputs: &[String]) -> Result<()> {
    let mut seen = BTreeSet::new();
    let doubled = inputs.iter().chain(outputs).find(|name| name.is_empty() || !seen.insert(name.as_str()));
    doubled.map_or(Ok(()), |name| Err(Error::Request(format!("the name `{name}` is empty or used twice"))))
}
