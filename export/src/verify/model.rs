//! A compiled model against its module, in one call.

use burn::module::Module;
use burn::tensor::Device;

use super::{Case, Kind, OnnxRuntime, Row, Runner, Tolerance, TractRunner, verify};
use crate::{Inputs, Model, Outputs, Result, run_eager};

impl Model {
    /// Compares the file with the module on random inputs, once for every set of sizes of the dynamic axes, and at the
    /// first of them on zeros and on large numbers ([`Model::edges`]): on tract, and on ONNX Runtime where `ORT_DYLIB_PATH` names its library.
    ///
    /// Give the closure of [`compile`](crate::Export::compile), and sizes that are not those of the examples. Look at
    /// [`Row::ok`], and at [`Row::refused`] where a runtime does not take the model; a model that is compared at no size
    /// at all is not compared.
    ///
    /// # Errors
    /// A dynamic axis without a size, or a model that one file cannot hold.
    pub fn verify<M: Module, I: Inputs, O: Outputs>(
        &self,
        module: &M,
        forward: impl Fn(&M, I) -> O,
        sizes: &[&[(&str, usize)]],
    ) -> Result<Vec<Row>> {
        let device = module.devices().into_iter().next().unwrap_or_else(Device::flex);
        let mut cases = Vec::with_capacity(sizes.len());
        for (seed, sizes) in sizes.iter().enumerate() {
            let edges = if seed == 0 { self.edges() } else { &[] };
            for kind in [Kind::Usual].iter().chain(edges).copied() {
                let inputs = self.inputs_of(kind, sizes, seed as u64)?;
                let expected = run_eager(module, &device, &forward, inputs.clone())?;
                cases.push(Case { kind, inputs, expected });
            }
        }
        let onnxruntime = OnnxRuntime::from_env()?;
        let mut runners: Vec<&dyn Runner> = vec![&TractRunner];
        runners.extend(onnxruntime.as_ref().map(|runtime| runtime as &dyn Runner));
        verify(&self.to_bytes()?, &cases, &runners, Tolerance::default())
    }
}
