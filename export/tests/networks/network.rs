//! A whole network as every test sees it, and what must hold for it.

use std::collections::BTreeSet;
use std::rc::Rc;

use burn::module::Module;
use burn::tensor::{Device, TensorData};
use selfie_export::verify::{Case, Kind, verify};
use selfie_export::{Error, Export, Inputs, Model, Outputs, Target, run_eager};

use crate::support::{NETWORK, runners};
use crate::weights::drawn;

/// A size of every dynamic axis.
pub type Sizes = &'static [(&'static str, usize)];

/// Batches that were not recorded.
pub const BATCHES: &[Sizes] = &[&[("batch", 1)], &[("batch", 7)]];

/// Batches and sizes of images that were not recorded.
pub const IMAGES: &[Sizes] =
    &[&[("batch", 1), ("height", 32), ("width", 48)], &[("batch", 4), ("height", 56), ("width", 24)]];

/// Batches and lengths that were not recorded.
pub const SEQUENCES: &[Sizes] = &[&[("batch", 1), ("length", 1)], &[("batch", 7), ("length", 15)]];

type Compile = dyn Fn(i64, Passes) -> Result<Model, Error>;
type Eager = dyn Fn(Vec<TensorData>) -> Vec<TensorData>;

/// Which passes run.
#[derive(Clone, Copy, Debug)]
enum Passes {
    All,
    None,
    Only(&'static str),
    /// All, and those of a target, at the opset that it chooses.
    For(&'static Target),
}

/// A network with its weights, the way to export it, and the sizes at which it is compared.
pub struct Network {
    /// What the tests and the document call it.
    pub name: &'static str,
    /// The opset at which it is compared on every runtime.
    pub opset: i64,
    first_opset: i64,
    sizes: &'static [Sizes],
    beyond_tract: Option<&'static str>,
    compile: Box<Compile>,
    eager: Box<Eager>,
}

impl Network {
    /// A network whose weights are drawn from a fixed seed; `request` names inputs, outputs and axes.
    pub fn new<M: Module + 'static, I: Inputs + 'static, O: Outputs + 'static>(
        name: &'static str,
        module: M,
        forward: fn(&M, I) -> O,
        request: impl for<'m> Fn(Export<'m, M>) -> Export<'m, M> + 'static,
        sizes: &'static [Sizes],
    ) -> Self {
        let module = Rc::new(drawn(module));
        let exported = module.clone();
        let compile = move |opset, passes| {
            let export = request(Export::new(exported.as_ref()));
            let export = match passes {
                Passes::All => export.opset(opset),
                Passes::None => export.opset(opset).without_passes(),
                Passes::Only(pass) => export.opset(opset).only([pass]),
                Passes::For(target) => export.target(target),
            };
            export.compile(forward)
        };
        let eager =
            move |inputs| run_eager(module.as_ref(), &Device::flex(), forward, inputs).expect("Burn runs the network");
        Self {
            name,
            opset: 17,
            first_opset: 13,
            sizes,
            beyond_tract: None,
            compile: Box::new(compile),
            eager: Box::new(eager),
        }
    }

    /// Compares at this opset, the first that has what the network needs, and leaves tract out for the reason given.
    pub fn beyond_tract(self, opset: i64, reason: &'static str) -> Self {
        Self { opset, first_opset: opset, beyond_tract: Some(reason), ..self }
    }

    /// The first and the last opset it can have, and the one at which it is compared.
    pub fn opsets(&self) -> BTreeSet<i64> {
        BTreeSet::from([self.first_opset, self.opset, 24])
    }

    /// The network as a model at an opset, with all passes.
    pub fn model(&self, opset: i64) -> Model {
        (self.compile)(opset, Passes::All).unwrap_or_else(|error| panic!("{} at opset {opset}: {error}", self.name))
    }

    /// The network as it was lowered, without any pass.
    pub fn without_passes(&self) -> Model {
        (self.compile)(self.opset, Passes::None).unwrap_or_else(|error| panic!("{} without passes: {error}", self.name))
    }

    /// The network at an opset with one pass alone.
    pub fn with_pass(&self, opset: i64, pass: &'static str) -> Model {
        let model = (self.compile)(opset, Passes::Only(pass));
        model.unwrap_or_else(|error| panic!("{} with {pass} alone: {error}", self.name))
    }

    /// The network as a model for a runtime.
    pub fn for_target(&self, target: &'static Target) -> Model {
        let model = (self.compile)(self.opset, Passes::For(target));
        model.unwrap_or_else(|error| panic!("{} for {}: {error}", self.name, target.name))
    }

    /// Drawn inputs and Burn's answers at every size, and at the first those at the edge of what it expects.
    pub fn cases(&self, model: &Model) -> Vec<Case> {
        let case = |kind: Kind, seed: usize, sizes: &Sizes| {
            let inputs = model.inputs_of(kind, sizes, seed as u64).expect("every dynamic axis has a size");
            Case { kind, expected: (self.eager)(inputs.clone()), inputs }
        };
        let usual = self.sizes.iter().enumerate().map(|(seed, sizes)| case(Kind::Usual, seed, sizes));
        usual.chain(model.edges().iter().map(|kind| case(*kind, 0, &self.sizes[0]))).collect()
    }

    /// Every runtime gives Burn's numbers with all passes and with none, and the passes make nothing larger.
    pub fn prove(&self) {
        let (plain, model) = (self.without_passes(), self.model(self.opset));
        let mut wrong = self.differences("without passes", &plain);
        wrong.extend(self.differences("with all passes", &model));
        for (what, before, after) in [
            ("nodes", plain.graph().nodes.len(), model.graph().nodes.len()),
            ("bytes", encoded(&plain).len(), encoded(&model).len()),
        ] {
            if after > before {
                wrong.push(format!("the passes make {after} {what} of {before}"));
            }
        }
        if !model.report().settled {
            wrong.push("the pipeline does not settle".to_string());
        }
        assert!(wrong.is_empty(), "{}:\n{}\n{}\n{}", self.name, wrong.join("\n"), model.report(), model.graph().dump());
    }

    /// What differs from Burn's numbers, one line a difference; at other opsets than its own in ONNX Runtime alone.
    pub fn differences(&self, label: &str, model: &Model) -> Vec<String> {
        let mut runners = runners();
        if model.graph().opset != self.opset {
            runners.retain(|runner| runner.name() != "tract");
        }
        if let Some(reason) = self.beyond_tract {
            eprintln!("ONNX Runtime alone: {}: {reason}", self.name);
            runners.retain(|runner| runner.name() != "tract");
        }
        let (bytes, cases) = (encoded(model), self.cases(model));
        let mut wrong = Vec::new();
        for runner in &runners {
            match verify(&bytes, &cases, &[runner.as_ref()], NETWORK) {
                Ok(rows) => {
                    wrong.extend(rows.into_iter().filter(|row| !row.ok).map(|row| format!("{label}: {row:?}")));
                }
                Err(error) => wrong.push(format!("{label}: {error}")),
            }
        }
        wrong
    }
}

/// The bytes of a model.
pub fn encoded(model: &Model) -> Vec<u8> {
    model.to_bytes().expect("the model encodes")
}
