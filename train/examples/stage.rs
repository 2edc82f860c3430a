//! Runs one stage of the training from a shell, without the `selfie` binary.
//!
//! `stage RECIPE OUT [--init RUN] [--set KEY=VALUE]... [--data SPEC] [--labels PART] [--seed N] [--device NAME] [--resume]
//! [--quiet]`, or `stage evaluate RUN [--data SPEC]`.

use selfie_train::data::SplitName;
use selfie_train::evaluate::{self, EvaluateOptions, NEIGHBOURS};
use selfie_train::{Options, Recipe, Stage, finetune, pretrain};
use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(recipe), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("a recipe and a run folder are needed".into());
    };
    let mut options = Options::new(recipe, out);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--init" => options.init = Some(value()?.into()),
            "--set" => options.set.push(value()?),
            "--data" => options.data = Some(value()?),
            "--labels" => options.labels = Some(value()?.parse()?),
            "--seed" => options.seed = Some(value()?.parse()?),
            "--device" => options.device = value()?,
            "--resume" => options.resume = true,
            "--quiet" => options.quiet = true,
            _ => return Err(format!("{flag} is unknown").into()),
        }
    }
    if options.recipe == "evaluate" {
        let Options { out: run, data, device, .. } = options;
        let evaluation = evaluate::run(&EvaluateOptions {
            run,
            data,
            split: SplitName::Test,
            device,
            batch_size: 250,
            neighbours: vec![NEIGHBOURS],
            noise: false,
        })?;
        println!("{evaluation:#?}");
        return Ok(());
    }
    let summary = match Recipe::open(&options.recipe)?.stage {
        Stage::Pretrain => pretrain::run(&options)?,
        Stage::Finetune => finetune::run(&options)?,
    };
    println!("{summary:#?}");
    Ok(())
}
