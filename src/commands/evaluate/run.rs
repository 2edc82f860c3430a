//! `selfie evaluate RUN`

use crate::table::Table;
use anyhow::Context;
use selfie_train::data::SplitName;
use selfie_train::evaluate::{self, ClassScore, EvaluateOptions, Noisy};
use std::path::PathBuf;

/// Arguments of `selfie evaluate RUN`.
#[derive(clap::Args)]
pub struct RunArguments {
    /// Run folder of a finished run.
    #[arg(required = true)]
    run: Option<PathBuf>,
    /// Data set instead of the run's.
    #[arg(long, value_name = "SPEC")]
    data: Option<String>,
    /// The images to measure on: train, validation or test.
    #[arg(long, default_value = "test", value_name = "SPLIT", value_parser = crate::options::split)]
    split: SplitName,
    /// Where to compute.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: String,
    /// Also classify by the nearest neighbours of the embeddings, beside a network without training; `=1,5,20` votes with each
    /// number of them.
    #[arg(
        long,
        value_name = "K",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "20",
        value_delimiter = ',',
        value_parser = neighbours
    )]
    neighbours: Vec<usize>,
    /// Also measure with Gaussian noise on the pixels, of standard deviations 0.05, 0.1 and 0.2 of their range.
    #[arg(long)]
    noise: bool,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

impl RunArguments {
    pub fn run(self) -> anyhow::Result<()> {
        let options = EvaluateOptions {
            run: self.run.context("no run folder is named")?,
            data: self.data,
            split: self.split,
            device: self.device,
            batch_size: 250,
            neighbours: self.neighbours,
            noise: self.noise,
        };
        let evaluation = evaluate::run(&options)?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&evaluation)?);
            return Ok(());
        }
        if !evaluation.classes.is_empty() {
            let mut table = Table::new(["class", "images", "recall", "precision", "F1"]);
            for ClassScore { label, images, accuracy, precision, f1 } in &evaluation.classes {
                let [recall, precision, f1] = [accuracy, precision, f1].map(|number| format!("{number:.4}"));
                table.row([label.clone(), images.to_string(), recall, precision, f1]);
            }
            println!("{table}");
        }
        if let Some(accuracy) = evaluation.accuracy {
            println!("accuracy on {} {} images of {}: {accuracy:.4}", evaluation.images, self.split, evaluation.data);
        }
        if let Some(error) = evaluation.calibration_error {
            println!("expected calibration error: {error:.4}");
        }
        for (of, recalls) in
            [("", &evaluation.retrieval), (" of the same network untrained", &evaluation.retrieval_untrained)]
        {
            let recalls: Vec<String> = recalls.iter().map(|at| format!("{:.4} at {}", at.recall, at.k)).collect();
            if !recalls.is_empty() {
                println!("retrieval recall{of}: {}", recalls.join(", "));
            }
        }
        for Noisy { sigma, accuracy, loss } in &evaluation.noise {
            println!("with noise of {sigma}: accuracy {accuracy:.4}, loss {loss:.4}");
        }
        for neighbours in &evaluation.neighbours {
            println!(
                "{} nearest neighbours: {:.4}; the same network untrained: {:.4}",
                neighbours.k, neighbours.accuracy, neighbours.untrained_accuracy
            );
        }
        Ok(())
    }
}

/// At least one neighbour votes.
fn neighbours(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{text:?} is no number of neighbours; at least 1 is needed")),
        Ok(k) => Ok(k),
    }
}
