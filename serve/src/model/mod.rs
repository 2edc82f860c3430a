//! A loaded model: file, runtime and preprocessing, proven by its golden samples. Use it as it is without a server, or
//! behind a [`crate::batch::Batcher`].

mod golden;
mod infer;
mod open;
pub(crate) mod row;

pub use golden::Proof;
pub use open::{OpenOptions, open};
pub use row::Row;

use crate::Error;
use crate::model_file::ModelFile;
use crate::preprocess::Preprocessor;
use crate::runtime::{Choice, Options, Runtime, Session};
use selfie_models::Card;
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
}

impl Model {
    /// Loads `path` on a runtime that was chosen and runs the golden samples of its card on it.
    ///
    /// # Errors
    /// The file or its card is wrong, the runtime refuses it, or [`Error::Golden`]: the numbers differ.
    pub fn load(
        path: &Path,
        runtime: &dyn Runtime,
        choice: Choice,
        options: &Options,
        max_image_pixels: u64,
    ) -> Result<Self, Error> {
        let file = ModelFile::open(path)?;
        let session = runtime.load(&file, choice.device, options)?;
        let preprocessor = Preprocessor::new(&file.card, max_image_pixels);
        let mut model = Self { file, choice, preprocessor, proofs: Vec::new(), session };
        model.warm_up()?;
        model.proofs = golden::check(&model)?;
        Ok(model)
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

    /// Runs the smallest batches once: a model whose outputs are not what the card says, or whose batch is not free
    /// although it says so, fails here and not at the first request.
    fn warm_up(&self) -> Result<(), Error> {
        let batches: &[usize] = if self.file.fixed_batch.is_some() { &[1] } else { &[1, 2] };
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
