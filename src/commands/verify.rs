//! `selfie verify`

use crate::compile::{Loadable, answers, golden_cases, input, objection, onnxruntime, print, stated_digest};
use anyhow::{Context, ensure};
use selfie_export::inspect;
use selfie_export::verify::Case;
use selfie_models::card::CARD_KEY;
use selfie_models::samples::{GOLDEN_BATCHES, generator, network_input};
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
        let names: Vec<String> = inspection.outputs.into_iter().map(|output| output.name).collect();
        ensure!(!card.golden.is_empty(), "the card of {} holds no golden samples", self.model.display());
        let model = Loadable::File(self.model.clone());
        println!("golden samples: what was right when the file was compiled");
        let mut good = report(&model, &card, &golden_cases(&card, &names)?)?;
        if let Some(run) = &self.run {
            println!("\nrandom batches: what Burn answers now, from {}", run.display());
            good &= report(&model, &card, &random(&card, run)?)?;
        }
        ensure!(good, "{} does not give the right numbers within {:e}", self.model.display(), tolerance(&card));
        Ok(())
    }
}

/// Compares, prints, and says whether all is well.
fn report(model: &Loadable, card: &Card, cases: &[Case]) -> anyhow::Result<bool> {
    let rows = model.compare(cases, tolerance(card), onnxruntime()?.as_ref())?;
    print(&rows);
    Ok(objection(&rows, card.provenance.precision.is_some()).is_none() && rows.iter().any(|row| row.ok))
}

/// The largest difference that the card accepts.
fn tolerance(card: &Card) -> f64 {
    card.golden.iter().map(|golden| f64::from(golden.tolerance)).fold(0.0, f64::max)
}

fn random(card: &Card, run: &Path) -> anyhow::Result<Vec<Case>> {
    let device = device::open("cpu")?;
    let network = saved::load(run, &device)?.network;
    let case = |batch: usize| {
        let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.subsec_nanos().into();
        let generator = generator(card, batch, seed);
        let values = generator.values();
        let expected = answers(&network, &network_input(card, batch, &values), &device);
        Ok(Case { expected, inputs: vec![input(card, values, &generator.shape)] })
    };
    let sizes = card.golden.iter().filter_map(|golden| golden.input.shape.first().copied());
    sizes.filter(|size| GOLDEN_BATCHES.contains(size)).map(case).collect()
}
