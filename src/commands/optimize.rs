//! `selfie optimize`

use crate::compile::optimize::{Request, optimize};
use crate::compile::{Passes, print};
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Arguments of `selfie optimize`.
#[derive(clap::Args)]
pub struct Arguments {
    /// An ONNX file of any writer, with an opset from 7 to 24.
    model: PathBuf,
    /// The simplified file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Size of an open axis for the comparison with the original. May be repeated.
    #[arg(long, value_name = "NAME=N", value_parser = size)]
    size: Vec<(String, usize)>,
    /// Put the weights into a second file, which is called as the first with `.data` behind.
    #[arg(long)]
    external_data: bool,
    #[command(flatten)]
    passes: Passes,
}

fn size(text: &str) -> Result<(String, usize), String> {
    let parsed = text.rsplit_once('=').and_then(|(name, size)| Some((name.to_owned(), size.parse().ok()?)));
    parsed.filter(|(_, size)| *size > 0).ok_or_else(|| format!("{text:?} is no size; write NAME=N with N from 1"))
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let Self { model, out, size, external_data, passes } = self;
        let report = passes.report;
        let before = bytes(&model)?;
        let found = optimize(&Request { source: &model, out: &out, sizes: &size, external_data, passes })?;
        if report {
            println!("{}", found.passes);
        }
        print(&found.rows);
        let (from, to) = found.passes.nodes;
        let after = bytes(&out)?;
        println!("\n{}: {to} nodes of {from}, {after} bytes of {before}", out.display());
        if found.untouched > 0 {
            println!(
                "{} nodes stay as they are: of another domain, with subgraphs, or without known shapes",
                found.untouched
            );
        }
        Ok(())
    }
}

fn bytes(path: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len())
}
