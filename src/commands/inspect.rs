//! `selfie inspect`

use crate::compile::{found_card, stated_digest};
use crate::table::Table;
use anyhow::Context;
use selfie_export::{Port, inspect};
use selfie_models::Card;
use selfie_models::card_file::Found;
use std::path::PathBuf;

/// Arguments of `selfie inspect`.
#[derive(clap::Args)]
pub struct Arguments {
    /// An ONNX file.
    model: PathBuf,
    /// Print the model card as JSON and nothing else.
    #[arg(long)]
    card: bool,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let bytes = std::fs::read(&self.model).with_context(|| format!("cannot read {}", self.model.display()))?;
        let found = inspect(&bytes).with_context(|| self.model.display().to_string())?;
        let digest = stated_digest(&self.model, &bytes, &found.metadata)?;
        let card = found_card(&self.model, &found.metadata)?;
        if self.card {
            let missing = || format!("{} has no model card; `selfie card init` makes one", self.model.display());
            println!("{}", card.with_context(missing)?.text);
            return Ok(());
        }
        let mut ports = Table::new(["port", "name", "type", "shape"]);
        let mut add = |kind: &str, port: &Port| {
            ports.row([kind.to_owned(), port.name.clone(), port.dtype.clone(), port.shape.join(" x ")]);
        };
        found.inputs.iter().for_each(|port| add("input", port));
        found.outputs.iter().for_each(|port| add("output", port));
        println!("{ports}");
        let mut operators = Table::new(["operator", "nodes"]);
        for operator in &found.operators {
            operators.row([operator.operator.clone(), operator.count.to_string()]);
        }
        println!("{operators}");
        println!("graph {:?} by {:?}, opset {}, IR {}", found.name, found.producer, found.opset, found.ir_version);
        let (inside, beside) = (found.initializer_bytes as f64 / 1e6, found.external_bytes as f64 / 1e6);
        let beside = if beside > 0.0 { format!(", {beside:.2} MB in a file beside it") } else { String::new() };
        println!("parameters: {}, {inside:.2} MB{beside}", found.parameters);
        match found.flops {
            Some(flops) => println!("FLOPs of one item: {:.1} M ({})", flops as f64 / 1e6, found.flops_note),
            None => println!("FLOPs: unknown ({})", found.flops_note),
        }
        println!("digest: {digest}");
        match card {
            Some(Found { origin, text }) => {
                let card = Card::from_json(&text).with_context(|| origin.display().to_string())?;
                let beside = if origin == self.model { "" } else { " in a file beside the model" };
                println!("card{beside}: {:?}, {} golden samples; --card prints it", card.name, card.golden.len());
            }
            None => println!("card: none"),
        }
        Ok(())
    }
}
