//! `selfie verify`

use crate::compile::{
    Loadable, answers, found_card, golden_cases, input, objection, onnxruntime, print, stated_digest,
};
use anyhow::{Context, ensure};
use selfie_export::inspect;
use selfie_export::verify::Case;
use selfie_models::card::CARD_KEY;
use selfie_models::card_file::CARD_FILE;
use selfie_models::samples::{GOLDEN_BATCHES, generator, network_input};
use selfie_models::{Card, device, saved};
use std::path::{Path, PathBuf};

/// Arguments of `selfie verify`.
#[derive(clap::Args)]
pub struct Arguments {
    /// An ONNX file with a card in it or beside it.
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
        let found = found_card(&self.model, &inspection.metadata)?.with_context(|| {
            format!(
                "{} has no model card with golden samples to compare with: neither {CARD_KEY} in it nor a {CARD_FILE} \
                 beside it; `selfie card init` makes one",
                self.model.display()
            )
        })?;
        let card = Card::from_json(&found.text).with_context(|| found.origin.display().to_string())?;
        ensure!(
            !card.golden.is_empty(),
            "the card of {} holds no golden samples to compare with; export the model again, or make its card anew with \
             `selfie card init`",
            self.model.display()
        );
        let foreign = !inspection.metadata.contains_key(CARD_KEY);
        let mut names: Vec<String> = inspection.outputs.into_iter().map(|output| output.name).collect();
        if foreign {
            names.retain(|name| card.golden.iter().any(|golden| golden.outputs.contains_key(name)));
        }
        let verification = Verification { model: Loadable::File(self.model.clone()), card, names, foreign };
        let Verification { card, names, .. } = &verification;
        match foreign {
            false => println!("golden samples: what was right when the file was compiled"),
            true => println!("golden samples: what was right when {} was made", found.origin.display()),
        }
        let mut good = verification.report(&golden_cases(card, names)?)?;
        if let Some(run) = &self.run {
            println!("\nrandom batches: what Burn answers now, from {}", run.display());
            good &= verification.report(&random(card, run)?)?;
        }
        ensure!(
            good,
            "{} does not give the right numbers within {:e}; the rows above whose result is not ok say where",
            self.model.display(),
            tolerance(card)
        );
        Ok(())
    }
}

/// A model and what its card says of it.
struct Verification {
    model: Loadable,
    card: Card,
    /// The outputs that are compared.
    names: Vec<String>,
    /// Whether the model carries no card itself.
    foreign: bool,
}

impl Verification {
    /// Compares, prints, and says whether all is well. A runtime may refuse a model in lower precision or from elsewhere as
    /// long as another runs it.
    fn report(&self, cases: &[Case]) -> anyhow::Result<bool> {
        let rows = self.model.compare(cases, Some(&self.names), tolerance(&self.card), onnxruntime()?.as_ref())?;
        print(&rows);
        let refusable = self.foreign || self.card.provenance.precision.is_some();
        Ok(objection(&rows, refusable).is_none() && rows.iter().any(|row| row.ok))
    }
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
        Ok(Case::new(vec![input(card, values, &generator.shape)], expected))
    };
    let sizes = card.golden.iter().filter_map(|golden| golden.input.shape.first().copied());
    sizes.filter(|size| GOLDEN_BATCHES.contains(size)).map(case).collect()
}
