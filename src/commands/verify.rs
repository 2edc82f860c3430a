//! `selfie verify`

use crate::compile::{answers, compare, print, stated_digest};
use anyhow::{Context, ensure};
use burn::tensor::TensorData;
use selfie_export::inspect;
use selfie_export::verify::Case;
use selfie_models::card::CARD_KEY;
use selfie_models::golden::{Algorithm, Generator};
use selfie_models::samples::GOLDEN_BATCHES;
use selfie_models::{Card, device, saved};
use std::path::{Path, PathBuf};

/// Arguments of `selfie verify`.
#[derive(clap::Args)]
pub struct Arguments {
    /// An ONNX file with a card.
    model: PathBuf,
    /// Run folder that the file was compiled from: Burn then answers random batches beside the golden samples.
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let bytes = std::fs::read(&self.model).with_context(|| format!("cannot read {}", self.model.display()))?;
        let inspection = inspect(&bytes).with_context(|| self.model.display().to_string())?;
        let digest = stated_digest(&self.model, &bytes, &inspection.metadata)?;
        println!("digest: {digest}\n");
        let card = inspection.metadata.get(CARD_KEY).with_context(|| {
            format!("{} has no model card ({CARD_KEY}) with golden samples to compare with", self.model.display())
        })?;
        let card = Card::from_json(card)?;
        let names: Vec<&str> = inspection.outputs.iter().map(|output| output.name.as_str()).collect();
        ensure!(!card.golden.is_empty(), "the card of {} holds no golden samples", self.model.display());
        println!("golden samples: what Burn answered when the file was compiled");
        let mut good = report(&bytes, &golden(&card, &names)?)?;
        if let Some(run) = &self.run {
            println!("\nrandom batches: what Burn answers now, from {}", run.display());
            good &= report(&bytes, &random(&card, run)?)?;
        }
        ensure!(good, "{} does not give Burn's numbers within 1e-4", self.model.display());
        Ok(())
    }
}

/// Compares, prints, and says whether all is well.
fn report(model: &[u8], cases: &[Case]) -> anyhow::Result<bool> {
    let rows = compare(model, cases)?;
    print(&rows);
    Ok(rows.iter().all(|row| row.ok))
}

fn golden(card: &Card, names: &[&str]) -> anyhow::Result<Vec<Case>> {
    let case = |golden: &selfie_models::golden::Golden| {
        let expected = names.iter().map(|name| {
            let values = golden.outputs.get(*name).with_context(|| format!("no golden values of output {name:?}"))?;
            Ok(TensorData::new(values.unpack()?, values.shape.clone()))
        });
        let inputs = vec![TensorData::new(golden.input.values(), golden.input.shape.clone())];
        Ok(Case { inputs, expected: expected.collect::<anyhow::Result<_>>()? })
    };
    card.golden.iter().map(case).collect()
}

fn random(card: &Card, run: &Path) -> anyhow::Result<Vec<Case>> {
    let device = device::open("cpu")?;
    let network = saved::load(run, &device)?.network;
    let case = |batch: usize| {
        let generator = Algorithm::SplitMix64Uniform;
        let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.subsec_nanos().into();
        let shape = card.input.shape(batch).to_vec();
        let images = Generator { generator, seed, shape: shape.clone(), low: -3.0, high: 3.0 };
        let images = TensorData::new(images.values(), shape);
        Ok(Case { expected: answers(&network, &images, &device), inputs: vec![images] })
    };
    let sizes = card.golden.iter().filter_map(|golden| golden.input.shape.first().copied());
    sizes.filter(|size| GOLDEN_BATCHES.contains(size)).map(case).collect()
}
