//! `selfie card`

use anyhow::{Context, ensure};
use selfie_serve::foreign::{self, Pooling};
use selfie_serve::model_file::CARD_FILE;
use selfie_serve::runtime::Options;
use std::path::PathBuf;

/// What to do with cards.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Makes the card of an ONNX model from elsewhere, so that it can be served.
    ///
    /// What it takes and gives is read from the file, and from preprocessor_config.json and config.json of Hugging Face or timm in its
    /// folder or the one above. The model is run, and what it answers becomes its golden samples. The file itself stays as it is, but
    /// with --pooling.
    Init {
        /// An ONNX file that maps images to vectors or class scores.
        model: PathBuf,
        /// Where to write the card. [default: card.json beside the model]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Name of the model. [default: that of its file or folder]
        #[arg(long)]
        name: Option<String>,
        /// Gives the file an output more, one vector of those that another output has for each token or place: that of the first token,
        /// or their mean.
        #[arg(long, value_name = "HOW")]
        pooling: Option<Pooling>,
        /// Runtime that runs it: auto, onnxruntime, tract or rten.
        #[arg(long, default_value = "auto", value_name = "NAME")]
        runtime: String,
    },
}

impl Command {
    pub fn run(self) -> anyhow::Result<()> {
        let Self::Init { model, out, name, pooling, runtime } = self;
        let out = out.unwrap_or_else(|| model.with_file_name(CARD_FILE));
        ensure!(!out.exists(), "{} is there already; delete it, or name another file with --out", out.display());
        let made = foreign::card(&model, name, pooling, &Options { runtime, ..Options::default() })?;
        std::fs::write(&out, made.card.to_json()?).with_context(|| format!("cannot write {}", out.display()))?;
        made.reasons.iter().for_each(|reason| println!("{reason}"));
        println!("card: {}", out.display());
        Ok(())
    }
}
