//! A loaded model: file, runtime and preprocessing, proven by its golden samples. Use it as it is without a server, or
//! behind a [`crate::batch::Batcher`].

mod contest;
mod golden;
mod infer;
mod open;
pub(crate) mod row;

pub use golden::Proof;
pub use open::{OpenOptions, open};
pub use row::Row;

use crate::Error;
use crate::model_file::ModelFile;
use crate::preprocess::{Preprocessor, Reading};
use crate::runtime::{Candidate, Choice, Options, Session};
use selfie_models::Card;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A loaded model.
pub struct Model {
    /// The file and its card.
    pub file: ModelFile,
    /// The runtime that runs it, and why.
    pub choice: Choice,
    /// From image bytes to its input.
    pub preprocessor: Preprocessor,
    /// What the golden samples gave when it was loaded.
    pub proofs: Vec<Proof>,
    session: Box<dyn Session>,
    /// The batch sizes that the session gets, the smallest first; none when it gets any.
    buckets: Vec<usize>,
}

impl Model {
    /// Loads `path` on the fastest of the runtimes that may serve, and runs the golden samples of its card on it.
    ///
    /// # Errors
    /// The file or its card is wrong, every runtime refuses it, or [`Error::Golden`]: the numbers differ.
    pub fn load(path: &Path, candidates: &[Candidate], options: &Options, reading: Reading) -> Result<Self, Error> {
        let file = ModelFile::open(path)?;
        contest::winner(candidates, |candidate| Self::start(file.clone(), candidate, options, reading))
    }

    /// Loads the model on one runtime and runs it, so that it is ready to prove itself.
    fn start(file: ModelFile, candidate: &Candidate, options: &Options, reading: Reading) -> Result<Self, Error> {
        let mut choice = candidate.choice.clone();
        // A panic in a runtime must cost this model, not the server.
        let load = || candidate.runtime.load(&file, choice.device, options);
        let session = catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|_| {
            let (path, runtime) = (file.path.clone(), choice.runtime);
            Err(Error::Load { path, runtime, reason: "the runtime panicked".into() })
        })?;
        if let Some(spread) = session.spread() {
            choice.reason.push_str("; ");
            choice.reason.push_str(spread);
        }
        let preprocessor = Preprocessor::new(&file.card, reading);
        let buckets = options.buckets(file.fixed_batch, choice.device);
        let model = Self { file, choice, preprocessor, proofs: Vec::new(), session, buckets };
        model.warm_up()?;
        Ok(model)
    }

    /// Runs the golden samples.
    fn prove(mut self) -> Result<Self, Error> {
        self.proofs = golden::check(&self)?;
        Ok(self)
    }

    /// The model's card.
    pub fn card(&self) -> &Card {
        &self.file.card
    }

    /// Length of the embedding, if the model gives one.
    pub fn embedding_width(&self) -> Option<usize> {
        self.card().outputs.embedding.as_ref().map(|output| output.width)
    }

    /// Names of the classes, if the model gives class scores.
    pub fn labels(&self) -> Option<&[String]> {
        self.card().outputs.logits.as_ref().map(|output| output.labels.as_slice())
    }

    /// The embedding of a row, if the model gives one.
    pub fn embedding<'a>(&self, row: &'a Row) -> Option<&'a [f32]> {
        self.embedding_width().and(row.outputs.first()).map(Vec::as_slice)
    }

    /// The class scores of a row before softmax, if the model gives them.
    pub fn logits<'a>(&self, row: &'a Row) -> Option<&'a [f32]> {
        self.labels().and(row.outputs.last()).map(Vec::as_slice)
    }

    /// The batch sizes that the runtime gets, the smallest first; none when it gets any.
    pub fn buckets(&self) -> &[usize] {
        &self.buckets
    }

    /// The largest batch that the runtime takes at once, if there is one.
    pub fn largest_batch(&self) -> Option<usize> {
        self.buckets.last().copied()
    }

    /// How many batches the runtime runs at once.
    pub fn at_once(&self) -> usize {
        self.session.at_once()
    }

    /// Weights that its sessions hold, in bytes: each holds those of the file.
    pub fn weight_bytes(&self) -> u64 {
        self.file.bytes() * self.session.copies() as u64
    }

    /// Rows of the batch that the runtime gets for `count` items: they are filled up to the next bucket.
    pub fn padded(&self, count: usize) -> usize {
        self.buckets.iter().copied().find(|size| *size >= count).unwrap_or(count)
    }

    /// Runs every bucket once, or the smallest batches: a model whose outputs are not what the card says, or whose batch is not
    /// free although it says so, fails here and not at the first request, and what is planned for a size is planned.
    fn warm_up(&self) -> Result<(), Error> {
        let batches: &[usize] = if self.buckets.is_empty() { &[1, 2] } else { &self.buckets };
        for &batch in batches {
            self.run_values(batch, &vec![0.0; batch * self.preprocessor.item_len()]).map_err(|reason| Error::Load {
                path: self.file.path.clone(),
                runtime: self.choice.runtime,
                reason: format!("a batch of {batch} fails: {reason}"),
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
