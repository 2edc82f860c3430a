//! What is compiled: a run folder, or an ONNX file that was compiled before.

use super::Request;
use super::runtimes::outputs_by_name;
use anyhow::{Context, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use selfie_export::verify::{OnnxRuntime, Runner, TractRunner};
use selfie_export::{Export, Model};
use selfie_models::card::{CARD_KEY, INPUT_NAME, InputDtype, Layout};
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::saved::{self, Saved};
use selfie_models::{Card, device};

/// A model in 32-bit floats that takes normalised images, and what it answers.
pub struct Source {
    /// Its card.
    pub card: Card,
    /// Its graph.
    pub model: Model,
    /// Where right answers come from.
    pub reference: Reference,
}

/// Where right answers come from.
pub enum Reference {
    /// The network itself, in Burn.
    Burn(Box<(NetworkConfig, Network)>, Device),
    /// The file that was compiled before, in a runtime.
    File(Vec<u8>, Option<OnnxRuntime>),
}

impl Source {
    /// Opens what the request names.
    pub fn open(request: &Request, onnxruntime: Option<&OnnxRuntime>) -> anyhow::Result<Self> {
        match request.source.extension().is_some_and(|extension| extension == "onnx") {
            true => Self::file(request, onnxruntime),
            false => Self::run(request),
        }
    }

    fn run(request: &Request) -> anyhow::Result<Self> {
        let device = device::open("cpu")?;
        let Saved { card, config, network } = saved::load(request.source, &device)?;
        let shape = card.input.shape(request.batch.unwrap_or(2));
        let model = export(&network, &shape, request, &config.outputs(), &device)?;
        Ok(Self { card, model, reference: Reference::Burn(Box::new((config, network)), device) })
    }

    fn file(request: &Request, onnxruntime: Option<&OnnxRuntime>) -> anyhow::Result<Self> {
        let place = request.source.display();
        let recorded = ["--opset", "--batch", "--stop-after, --only or --dump"];
        let given = [request.opset.is_some(), request.batch.is_some(), request.passes.any()];
        if let Some((flag, _)) = recorded.iter().zip(given).find(|(_, given)| *given) {
            anyhow::bail!("{place} is compiled already, so {flag} has no effect on it; compile its run folder");
        }
        let bytes = std::fs::read(request.source).with_context(|| format!("cannot read {place}"))?;
        let mut model = Model::from_bytes(&bytes).with_context(|| format!("{place} cannot be compiled again"))?;
        request.passes.rewrite(&mut model).with_context(|| format!("{place} cannot be rewritten"))?;
        let card = model.metadata(CARD_KEY).with_context(|| {
            format!(
                "{place} has no model card ({CARD_KEY}); `selfie export` compiles its own files again, `selfie optimize` \
                 takes any other"
            )
        })?;
        let card = Card::from_json(card)?;
        let plain = card.input.dtype == InputDtype::F32 && card.input.layout == Layout::Nchw;
        ensure!(
            plain && card.provenance.precision.is_none(),
            "{place} takes bytes or has its precision lowered already; start from the file in f32"
        );
        Ok(Self { card, model, reference: Reference::File(bytes, onnxruntime.cloned()) })
    }
}

impl Reference {
    /// The outputs for normalised images, by name.
    pub fn answer(&self, images: TensorData) -> anyhow::Result<Vec<(String, TensorData)>> {
        match self {
            Self::Burn(network, device) => {
                let (config, network) = network.as_ref();
                let names = config.outputs().into_iter().map(|(name, _)| name.to_owned());
                Ok(names.zip(answers(network, &images, device)).collect())
            }
            Self::File(bytes, onnxruntime) => {
                let runner: &dyn Runner = match onnxruntime {
                    Some(onnxruntime) => onnxruntime,
                    None => &TractRunner,
                };
                outputs_by_name(runner, bytes, &images)
            }
        }
    }
}

/// What Burn answers to an input.
pub fn answers(network: &Network, images: &TensorData, device: &Device) -> Vec<TensorData> {
    let images = Tensor::<4>::from_data(images.clone(), device);
    network.forward(images).into_iter().map(Tensor::into_data).collect()
}

/// Compiles a network with the named outputs.
pub(super) fn export(
    network: &Network,
    shape: &[usize; 4],
    request: &Request,
    outputs: &[(&'static str, usize)],
    device: &Device,
) -> anyhow::Result<Model> {
    let names = outputs.iter().map(|(name, _)| *name);
    let example = Tensor::<4>::zeros(*shape, device);
    macro_rules! compile {
        ($module:expr, $forward:expr) => {{
            let export = request.passes.configure(Export::new($module).outputs(names).name("selfie"));
            let export = match request.opset {
                Some(opset) => export.opset(opset),
                None => export,
            };
            match request.batch {
                Some(_) => export.fixed_input(INPUT_NAME, example),
                None => export.input(INPUT_NAME, example, [(0, "batch")]),
            }
            .compile($forward)?
        }};
    }
    Ok(match network {
        Network::Selfie(selfie) => compile!(selfie, |selfie: &_, images: Tensor<4>| embed(selfie, images)),
        Network::Classifier(classifier) => {
            compile!(classifier, |classifier: &_, images: Tensor<4>| { classify(classifier, images) })
        }
    })
}

fn embed(selfie: &selfie_models::selfie::Selfie, images: Tensor<4>) -> Tensor<2> {
    selfie.embed(images)
}

fn classify(classifier: &selfie_models::classifier::Classifier, images: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
    let output = classifier.forward(images);
    (output.embedding, output.logits)
}
