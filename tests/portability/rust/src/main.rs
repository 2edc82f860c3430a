//! One model in one runtime that is a Rust crate: `portability RUNTIME MODEL CARD` prints one line of JSON, as every other
//! adapter does. burn-onnx compiles a network into the program that runs it, so it takes a step before:
//! `portability import FOLDER MODEL` writes the Rust of a model, and a build with `PORTABILITY_BURN_ONNX=FOLDER` takes it in.

#[cfg(feature = "burn-onnx")]
mod burn_onnx;
#[cfg(feature = "candle-onnx")]
mod candle_onnx;
mod golden;
#[cfg(feature = "rten")]
mod rten;
mod runtime;

use golden::Card;
use runtime::Runtime;
use std::path::Path;
use std::process::ExitCode;

const RUNTIMES: &[Runtime] = &[
    #[cfg(feature = "burn-onnx")]
    burn_onnx::RUNTIME,
    #[cfg(feature = "candle-onnx")]
    candle_onnx::RUNTIME,
    #[cfg(feature = "rten")]
    rten::RUNTIME,
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        #[cfg(feature = "burn-onnx")]
        ["import", folder, model] => {
            burn_onnx::import(folder, model);
            ExitCode::SUCCESS
        }
        [name, model, card] => match answer(name, Path::new(model), Path::new(card)) {
            Ok(line) => {
                println!("\n{line}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: portability RUNTIME MODEL CARD, or portability import FOLDER MODEL");
            ExitCode::from(2)
        }
    }
}

/// Runs every golden sample and says how far the answers are off.
fn answer(name: &str, model: &Path, card: &Path) -> Result<String, String> {
    let runtime = RUNTIMES
        .iter()
        .find(|runtime| runtime.name == name)
        .ok_or_else(|| format!("{name} is not built in; the crate has a feature for each runtime"))?;
    let text = std::fs::read(card).map_err(|error| format!("{}: {error}", card.display()))?;
    let card: Card = serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", card.display()))?;
    let run = runtime::caught(|| (runtime.load)(model, &card));
    let samples: serde_json::Map<_, _> = card
        .golden
        .iter()
        .enumerate()
        .map(|(index, golden)| {
            let answer = run.as_ref().map_err(String::clone).and_then(|run| {
                let images = golden.images(&card.input)?;
                golden.errors(&runtime::caught(|| run(&images))?)
            });
            // What follows the first line is a trace of the stack.
            let first = |words: String| words.lines().next().unwrap_or_default().into();
            let said = answer.map_or_else(first, |errors| serde_json::json!(errors));
            (index.to_string(), said)
        })
        .collect();
    Ok(serde_json::json!({ "version": runtime.version, "fixed": false, "samples": samples }).to_string())
}
