//! The cells of a table: which runs it is made of, in which folders, with which settings.

use super::TableOptions;
use super::recipe::{Part, TableRecipe, slug};
use super::row::{Kind, Row};
use crate::data::Dataset;
use crate::recipe::settings;
use crate::{Error, Options, Recipe, Stage, by_stage, start};
use selfie_models::network::NetworkConfig;
use std::path::{Path, PathBuf};

/// Settings of pretraining and of fine-tuning, for `--set`.
type Settings = [Vec<String>; 2];

/// What a table is made of, resolved.
pub(crate) struct Plan<'a> {
    pub(crate) recipe: TableRecipe,
    options: &'a TableOptions,
    /// What was typed on top of everything else.
    typed: Settings,
    /// The base, then every value of every axis that differs from it.
    pub(crate) variants: Vec<Variant>,
}

/// What is changed from the base.
pub(crate) struct Variant {
    /// Its folder under that of a seed; empty for the base.
    folder: String,
    settings: Settings,
    /// Batches that estimate batch-norm statistics anew before frozen embeddings are taken.
    pub(crate) norm_batches: u64,
}

/// A number of the table, or several of the same run.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub(crate) row: Row,
    pub(crate) part: &'a Part,
    pub(crate) seed: u64,
    pub(crate) variant: &'a Variant,
}

impl<'a> Plan<'a> {
    /// The recipe with everything on top of it.
    pub(crate) fn new(options: &'a TableOptions) -> Result<Self, Error> {
        let mut recipe = TableRecipe::open(&options.recipe)?;
        recipe.data = options.data.clone().unwrap_or(recipe.data);
        recipe.seeds = options.seeds.unwrap_or(recipe.seeds);
        recipe.check().map_err(|reason| Error::Recipe { origin: options.recipe.clone(), reason })?;
        let base = Variant { folder: String::new(), settings: Settings::default(), norm_batches: 0 };
        let values = recipe.axes.iter().flat_map(|axis| axis.values.iter().map(move |value| (axis, value)));
        let others = values.filter(|(_, value)| !value.is_base()).map(|(axis, value)| Variant {
            folder: slug(axis, value),
            settings: value.settings(),
            norm_batches: value.norm_batches,
        });
        let variants = std::iter::once(base).chain(others).collect();
        Ok(Self { recipe, options, typed: by_stage(&options.set), variants })
    }

    /// The variant that a value of an axis stands for.
    pub(crate) fn variant(&self, axis: usize, value: usize) -> Option<&Variant> {
        let axis = self.recipe.axes.get(axis)?;
        let value = axis.values.get(value)?;
        match value.is_base() {
            true => self.variants.first(),
            false => self.variants.iter().find(|variant| variant.folder == slug(axis, value)),
        }
    }

    /// Every cell once, in the order of work: one seed after the other, pretraining and what needs it first.
    pub(crate) fn cells(&self) -> Vec<Cell<'_>> {
        let mut cells: Vec<Cell<'_>> = Vec::new();
        for seed in 1..=self.recipe.seeds {
            for variant in &self.variants {
                let all = self.recipe.labels.iter().flat_map(|part| part.rows.iter().map(move |row| (*row, part)));
                let mut new: Vec<Cell<'_>> = all.map(|(row, part)| Cell { row, part, seed, variant }).collect();
                new.retain(|cell| variant.folder.is_empty() || cell.is_changed());
                new.sort_by_key(|cell| cell.row.order());
                cells.extend(new);
            }
        }
        cells
    }

    /// What the pretraining of a cell is asked for.
    pub(crate) fn pretraining(&self, cell: Cell<'_>) -> Options {
        let Variant { folder, settings: [own, _], .. } = cell.variant;
        let folder = if own.is_empty() { Path::new("") } else { Path::new(folder) };
        let TableRecipe { set, pretrain, .. } = &self.recipe;
        let set = [settings(set), settings(&pretrain.set), own.clone(), self.typed[0].clone()].concat();
        self.training(&pretrain.recipe, set, cell.seed, &folder.join("pretrain"))
    }

    /// What the fine-tuning of a cell is asked for; the pretrained run is not in it yet.
    pub(crate) fn finetuning(&self, cell: Cell<'_>) -> Options {
        let TableRecipe { set, finetune, .. } = &self.recipe;
        let own = cell.variant.settings[1].clone();
        let set = [settings(set), settings(&finetune.set), settings(&cell.part.set), own, self.typed[1].clone()];
        let options = self.training(&finetune.recipe, set.concat(), cell.seed, Path::new(""));
        Options { labels: Some(cell.part.part), out: self.options.out.join(cell.folder()), ..options }
    }

    fn training(&self, recipe: &str, set: Vec<String>, seed: u64, folder: &Path) -> Options {
        Options {
            set,
            data: Some(self.recipe.data.clone()),
            seed: Some(seed),
            device: self.options.device.clone(),
            resume: true,
            quiet: self.options.quiet,
            ..Options::new(recipe, self.options.out.join(seed_folder(seed)).join(folder))
        }
    }

    /// The resolved training recipes of a cell.
    pub(crate) fn recipes(&self, cell: Cell<'_>) -> Result<[Recipe; 2], Error> {
        Ok([self.pretraining(cell).resolve(Stage::Pretrain)?, self.finetuning(cell).resolve(Stage::Finetune)?])
    }

    /// The network that a cell is about.
    pub(crate) fn network(&self, cell: Cell<'_>, dataset: &Dataset) -> Result<NetworkConfig, Error> {
        let [pretrain, finetune] = self.recipes(cell)?;
        Ok(match cell.row.kind() {
            Kind::Trained => NetworkConfig::Classifier(finetune.network.classifier(dataset)?),
            Kind::Probe | Kind::Neighbours => NetworkConfig::Selfie(pretrain.network.selfie(dataset)?),
        })
    }

    /// Checks every recipe and that what is pretrained fits what is fine-tuned, before anything is trained.
    pub(crate) fn check(&self, dataset: &Dataset) -> Result<(), Error> {
        for cell in self.cells() {
            let wrong = |reason: String| Error::Recipe {
                origin: self.options.recipe.clone(),
                reason: format!("{}: {reason}", cell.folder().display()),
            };
            let [pretrain, finetune] = self.recipes(cell).map_err(|error| wrong(error.to_string()))?;
            let selfie = pretrain.network.selfie(dataset).map_err(|error| wrong(error.to_string()))?;
            let classifier = finetune.network.classifier(dataset).map_err(|error| wrong(error.to_string()))?;
            if cell.row == Row::Selfie {
                start::fits(&selfie, &classifier).map_err(wrong)?;
            }
        }
        Ok(())
    }
}

impl Cell<'_> {
    /// Whether the variant reaches the cell; else the base has the very same one.
    fn is_changed(&self) -> bool {
        let [pretrain, finetune] = &self.variant.settings;
        let own_pretraining = !pretrain.is_empty();
        match self.row {
            Row::Scratch => !finetune.is_empty(),
            Row::Selfie => own_pretraining || !finetune.is_empty(),
            _ => own_pretraining || self.variant.norm_batches > 0,
        }
    }

    /// Its folder under that of the table.
    pub(crate) fn folder(&self) -> PathBuf {
        let variant = if self.is_changed() { self.variant.folder.as_str() } else { "" };
        Path::new(&seed_folder(self.seed)).join(variant).join(format!("{}-labels-{}", self.row, self.part.part))
    }
}

fn seed_folder(seed: u64) -> String {
    format!("seed-{seed}")
}

#[cfg(test)]
mod tests;
