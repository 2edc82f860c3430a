//! What a run is asked for, and what it gives back.

use crate::{Error, Recipe, Stage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What pretraining and fine-tuning are asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of a recipe that comes with the crate, or a file.
    pub recipe: String,
    /// Settings `key=value` on top of the recipe.
    pub set: Vec<String>,
    /// Data set instead of the recipe's.
    pub data: Option<String>,
    /// Run folder.
    pub out: PathBuf,
    /// Run folder or file of weights to start from; without it fine-tuning starts from scratch.
    pub init: Option<PathBuf>,
    /// Part of the labels instead of the recipe's, above 0 and at most 1.
    pub labels: Option<f64>,
    /// Seed instead of the recipe's.
    pub seed: Option<u64>,
    /// Device, or several of them that share every batch, as [`selfie_models::device::open_all`] takes them.
    pub device: String,
    /// Whether damaged images are left out, whatever the recipe says.
    pub skip_damaged: bool,
    /// Whether to go on with what is in the run folder.
    pub resume: bool,
    /// Whether to show no progress.
    pub quiet: bool,
}

impl Options {
    /// Options of a recipe and a run folder, all else as by default: on the CPU, from scratch, with progress.
    pub fn new(recipe: impl Into<String>, out: impl Into<PathBuf>) -> Self {
        Self {
            recipe: recipe.into(),
            set: Vec::new(),
            data: None,
            out: out.into(),
            init: None,
            labels: None,
            seed: None,
            device: "cpu".into(),
            skip_damaged: false,
            resume: false,
            quiet: false,
        }
    }

    /// The recipe with everything on top of it.
    ///
    /// # Errors
    /// [`Error::Recipe`] or [`Error::Setting`] says what is wrong.
    pub(crate) fn resolve(&self, stage: Stage) -> Result<Recipe, Error> {
        let mut recipe = Recipe::open(&self.recipe)?.set(&self.set)?;
        recipe.data = self.data.clone().unwrap_or(recipe.data);
        recipe.label_fraction = self.labels.unwrap_or(recipe.label_fraction);
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        recipe.images.skip_damaged |= self.skip_damaged;
        let wrong = |reason: String| Error::Recipe { origin: self.recipe.clone(), reason };
        if recipe.stage != stage {
            return Err(wrong(format!("its stage is {}; run `selfie {}` with it", recipe.stage, recipe.stage)));
        }
        recipe.check().map_err(wrong)?;
        Ok(recipe)
    }
}

/// Splits settings for both stages: `pretrain.` or `finetune.` before a key gives it to one stage, any other goes to both.
#[must_use]
pub fn by_stage(set: &[String]) -> [Vec<String>; 2] {
    let mut stages = [Vec::new(), Vec::new()];
    for setting in set {
        match (setting.strip_prefix("pretrain."), setting.strip_prefix("finetune.")) {
            (Some(own), _) => stages[0].push(own.to_owned()),
            (_, Some(own)) => stages[1].push(own.to_owned()),
            (None, None) => stages.iter_mut().for_each(|stage| stage.push(setting.clone())),
        }
    }
    stages
}

/// What a run gives back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Pretraining or fine-tuning.
    pub stage: Stage,
    /// Run folder.
    pub run: PathBuf,
    /// Steps of the run.
    pub steps: u64,
    /// Seconds of training, all starts together.
    pub seconds: f64,
    /// Training images a second.
    pub images_per_second: f64,
    /// Final metrics by name: `loss` and `accuracy` of the last training steps, `test_loss` and `test_accuracy` at the
    /// end, and for pretraining `chance_accuracy` and `chance_loss`, what knowing nothing gives.
    pub metrics: BTreeMap<String, f64>,
}
