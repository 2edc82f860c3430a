//! From a run folder to a verified ONNX file.

use anyhow::{Context, bail, ensure};
use selfie_export::verify::{Case, OnnxRuntime, Row, Runner, Tolerance, TractRunner, verify};
use selfie_export::{Export, Model};
use selfie_models::card::CARD_KEY;
use selfie_models::digest::{self, DIGEST_KEY};
use selfie_models::network::Network;
use selfie_models::samples::GOLDEN_BATCHES;
use selfie_models::saved::{self, Saved};
use selfie_models::{device, samples};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::table::Table;
use burn::tensor::{Device, Tensor, TensorData};

/// What an export is asked for.
pub struct Request<'a> {
    /// Folder of a finished run.
    pub run: &'a Path,
    /// Model store, or a file that ends with `.onnx`.
    pub out: &'a Path,
    /// Name of the model instead of the card's.
    pub name: Option<&'a str>,
    /// Version of ONNX's operators.
    pub opset: i64,
    /// Batch size instead of a dynamic one.
    pub batch: Option<usize>,
}

/// What an export gave.
pub struct Compiled {
    /// The file.
    pub path: PathBuf,
    /// Burn against every runtime.
    pub rows: Vec<Row>,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Size of the file.
    pub bytes: u64,
}

/// Compiles a run, compares the file with Burn on every runtime that is here, and only then puts it in its place.
pub fn compile(request: &Request) -> anyhow::Result<Compiled> {
    let device = device::open("cpu")?;
    let Saved { mut card, config, network } = saved::load(request.run, &device)?;
    if let Some(name) = request.name {
        card.name = name.to_owned();
    }
    card.golden = samples::record(&network, &config, &card.input, &device)?;
    if let Some(batch) = request.batch {
        card.golden.retain(|golden| golden.input.shape[0] == batch);
    }
    let mut model =
        export(&network, &card.input.shape(request.batch.unwrap_or(2)), request, &config.outputs(), &device)?;
    model.set_metadata(CARD_KEY, card.to_json()?);
    let bytes = model.to_bytes()?;
    let cases = random_cases(&network, &model, request.batch, &device)?;
    let rows = compare(&bytes, &cases)?;
    if let Some(row) = rows.iter().find(|row| !row.ok) {
        bail!("the compiled model differs from Burn and is not written: {}", describe(row));
    }
    let path = place(request.out, &card.name)?;
    model.save(&path)?;
    Ok(Compiled { path, rows, nodes: model.graph().nodes.len(), bytes: bytes.len() as u64 })
}

fn export(
    network: &Network,
    shape: &[usize; 4],
    request: &Request,
    outputs: &[(&'static str, usize)],
    device: &Device,
) -> anyhow::Result<Model> {
    const INPUT: &str = "pixel_values";
    let names = outputs.iter().map(|(name, _)| *name);
    let example = Tensor::<4>::zeros(*shape, device);
    macro_rules! compile {
        ($module:expr, $forward:expr) => {{
            let export = Export::new($module).outputs(names).opset(request.opset).name("selfie");
            match request.batch {
                Some(_) => export.fixed_input(INPUT, example),
                None => export.input(INPUT, example, [(0, "batch")]),
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

/// Random inputs of several batch sizes and what Burn answers.
pub fn random_cases(
    network: &Network,
    model: &Model,
    batch: Option<usize>,
    device: &Device,
) -> anyhow::Result<Vec<Case>> {
    let batches = batch.map_or(GOLDEN_BATCHES.to_vec(), |batch| vec![batch]);
    let case = |batch: usize| {
        let inputs = model.random_inputs(&[("batch", batch)], 1000 + batch as u64)?;
        Ok(Case { expected: answers(network, &inputs[0], device), inputs })
    };
    batches.into_iter().map(case).collect()
}

/// What Burn answers to an input.
pub fn answers(network: &Network, images: &TensorData, device: &Device) -> Vec<TensorData> {
    let images = Tensor::<4>::from_data(images.clone(), device);
    network.forward(images).into_iter().map(Tensor::into_data).collect()
}

/// Runs cases in every runtime that is here.
pub fn compare(model: &[u8], cases: &[Case]) -> anyhow::Result<Vec<Row>> {
    let onnxruntime = onnxruntime()?;
    let mut runners: Vec<&dyn Runner> = vec![&TractRunner];
    runners.extend(onnxruntime.iter().map(|runner| runner as &dyn Runner));
    Ok(verify(model, cases, &runners, Tolerance { absolute: 1e-4, relative: 0.0 })?)
}

/// ONNX Runtime where it is installed, by the rules of the server.
#[cfg(feature = "serve")]
fn onnxruntime() -> anyhow::Result<Option<OnnxRuntime>> {
    use selfie_serve::runtime::{Options, library};
    let options = Options::default();
    match library::locate(&options) {
        Ok(path) => Ok(Some(OnnxRuntime::new(path)?)),
        Err(_) => Ok(None),
    }
}

#[cfg(not(feature = "serve"))]
fn onnxruntime() -> anyhow::Result<Option<OnnxRuntime>> {
    Ok(OnnxRuntime::from_env()?)
}

/// The comparison as a table, and a line on what was not compared.
pub fn print(rows: &[Row]) {
    let mut table = Table::new(["runtime", "batch", "output", "largest error", "result"]);
    for row in rows {
        table.row([
            row.runner.to_owned(),
            row.batch.to_string(),
            row.output.clone(),
            format!("{:.2e}", row.max_abs_error),
            row.failure.clone().unwrap_or(if row.ok { "ok" } else { "differs" }.to_owned()),
        ]);
    }
    print!("{table}");
    if rows.iter().all(|row| row.runner != "onnxruntime") {
        println!("ONNX Runtime is not here and was not compared; `selfie runtime install` brings it.");
    }
}

/// Checks the digest that a file states of itself, and says which it is.
pub fn stated_digest(path: &Path, file: &[u8], metadata: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let Some(stated) = metadata.get(DIGEST_KEY) else {
        return Ok(format!("none in the file ({DIGEST_KEY}), so a change of it goes unnoticed"));
    };
    digest::check(file, stated).with_context(|| path.display().to_string())?;
    Ok(format!("{stated}, right"))
}

fn describe(row: &Row) -> String {
    let Row { runner, batch, output, max_abs_error, failure, .. } = row;
    match failure {
        Some(failure) => format!("{runner}, batch {batch}: {failure}"),
        None => format!("{runner}, batch {batch}, output {output}: largest error {max_abs_error:.2e}"),
    }
}

/// The place of a new model: the file itself, or the next version in a store.
fn place(out: &Path, name: &str) -> anyhow::Result<PathBuf> {
    if out.extension().is_some_and(|extension| extension == "onnx") {
        if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        return Ok(out.to_owned());
    }
    ensure!(!out.is_file(), "{} is a file that does not end with .onnx; name a .onnx file or a folder", out.display());
    let folder = out.join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let versions = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let folder = folder.join((versions.max().unwrap_or(0) + 1).to_string());
    std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.join("model.onnx"))
}
