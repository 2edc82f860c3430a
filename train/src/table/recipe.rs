//! Table recipes: what a whole table is made of, as TOML.

use super::row::Row;
use crate::Error;
use crate::recipe::{settings, text};
use serde::{Deserialize, Serialize};
use toml::Table;

/// Names and texts of the table recipes that come with the crate.
pub const TABLES: &[(&str, &str)] = &[
    ("fashion-mnist-table", include_str!("../../recipes/fashion-mnist-table.toml")),
    ("fashion-mnist-table-gpu", include_str!("../../recipes/fashion-mnist-table-gpu.toml")),
    ("fashion-mnist-ablations", include_str!("../../recipes/fashion-mnist-ablations.toml")),
    ("cifar10-table", include_str!("../../recipes/cifar10-table.toml")),
    ("imagenet32-table", include_str!("../../recipes/imagenet32-table.toml")),
    ("imagenet224-table", include_str!("../../recipes/imagenet224-table.toml")),
];

/// What a whole table is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRecipe {
    /// Name of the table.
    pub name: String,
    /// Data set, as [`crate::data::open`] takes it.
    pub data: String,
    /// Seeds, counted from 1. One decides labels, weights, data order, masks and dropout of its runs.
    pub seeds: u64,
    /// Settings of both stages.
    #[serde(default)]
    pub set: Table,
    /// Pretraining, once for every seed.
    pub pretrain: Stage,
    /// Fine-tuning, and training from scratch.
    pub finetune: Stage,
    /// The columns of the table.
    pub labels: Vec<Part>,
    /// What is varied beside, one at a time.
    #[serde(default, rename = "axis")]
    pub axes: Vec<Axis>,
}

/// A training recipe and what differs from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Name or file of the recipe.
    pub recipe: String,
    /// Settings on top of it.
    #[serde(default)]
    pub set: Table,
}

/// A part of the labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Above 0 and at most 1.
    pub part: f64,
    /// What is measured on it.
    #[serde(default = "Row::all")]
    pub rows: Vec<Row>,
    /// Settings of fine-tuning and of training from scratch.
    #[serde(default)]
    pub set: Table,
}

/// Something that is varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// What it is.
    pub name: String,
    /// Its values.
    pub values: Vec<AxisValue>,
}

/// A value of an axis. One without settings is the base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxisValue {
    /// What it is.
    pub name: String,
    /// Settings of pretraining.
    #[serde(default)]
    pub pretrain: Table,
    /// Settings of fine-tuning and of training from scratch.
    #[serde(default)]
    pub finetune: Table,
    /// Batches by which the batch-norm statistics of a network are estimated anew before its frozen embeddings are taken; 0
    /// takes the network as its pretraining left it. It needs no pretraining of its own.
    #[serde(default)]
    pub norm_batches: u64,
}

impl TableRecipe {
    /// Reads a recipe that comes with the crate by its name, or any other from a file, and checks it.
    ///
    /// # Errors
    /// [`Error::Recipe`] says which key is wrong and where; [`Error::Io`] when a file cannot be read.
    pub fn open(name_or_path: &str) -> Result<Self, Error> {
        Self::parse(&text(name_or_path, TABLES, "table")?, name_or_path)
    }

    /// Parses a recipe and checks it; `origin` names it in errors.
    ///
    /// # Errors
    /// [`Error::Recipe`] says which key is wrong and where.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Recipe { origin: origin.to_owned(), reason };
        let recipe: Self = toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        recipe.check().map_err(wrong)?;
        Ok(recipe)
    }

    /// Checks what the types cannot say; the training recipes are checked when the table is planned.
    ///
    /// # Errors
    /// The key, its value and what is possible.
    pub fn check(&self) -> Result<(), String> {
        if self.name.trim().is_empty() || self.seeds == 0 || self.labels.is_empty() {
            return Err("name, seeds and [[labels]] must not be empty".into());
        }
        for part in &self.labels {
            if !(part.part > 0.0 && part.part <= 1.0) {
                return Err(format!("labels.part is {}; it must be above 0 and at most 1", part.part));
            }
            if part.rows.is_empty() {
                return Err(format!("labels.rows of part {} is empty; leave it out to have all rows", part.part));
            }
        }
        if !self.labels.is_sorted_by(|a, b| a.part < b.part) {
            return Err("labels.part must rise from one [[labels]] to the next".into());
        }
        let mut slugs = Vec::new();
        for (axis, value) in self.axes.iter().flat_map(|axis| axis.values.iter().map(move |value| (axis, value))) {
            let slug = slug(axis, value);
            if slugs.contains(&slug) {
                return Err(format!("two values of axes share the folder {slug}; give them other names"));
            }
            slugs.push(slug);
        }
        Ok(())
    }

    /// The recipe as TOML.
    ///
    /// # Errors
    /// [`Error::Recipe`] when a number does not fit TOML.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self).map_err(|error| Error::Recipe { origin: self.name.clone(), reason: error.to_string() })
    }
}

impl AxisValue {
    pub(crate) fn settings(&self) -> [Vec<String>; 2] {
        [settings(&self.pretrain), settings(&self.finetune)]
    }

    /// Whether it changes nothing.
    pub(crate) fn is_base(&self) -> bool {
        self.settings().iter().all(Vec::is_empty) && self.norm_batches == 0
    }
}

/// The folder of what a value of an axis changes.
pub(crate) fn slug(axis: &Axis, value: &AxisValue) -> String {
    let text = format!("{} {}", axis.name, value.name).to_lowercase();
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "name = 't'\ndata = 'd'\nseeds = 2\npretrain.recipe = 'p'\nfinetune.recipe = 'f'\n";

    #[test]
    fn every_built_in_table_is_valid_and_carries_its_name() {
        for (name, text) in TABLES {
            assert_eq!(TableRecipe::parse(text, name).unwrap().name, *name);
        }
    }

    #[test]
    fn a_recipe_survives_toml() {
        let text = format!(
            "{PLAIN}set = {{ lr = 0.5 }}\n[[labels]]\npart = 0.1\nrows = ['scratch']\nset = {{ network.width = 3 }}\n\
             [[axis]]\nname = 'Mask'\nvalues = [{{ name = '1/8', pretrain = {{ network.mask_ratio = 0.125 }} }}, \
             {{ name = '1/4' }}, {{ name = 'norm', norm_batches = 3 }}]\n"
        );
        let recipe = TableRecipe::parse(&text, "t").unwrap();
        assert_eq!(recipe.labels[0].rows, [Row::Scratch]);
        assert_eq!(recipe.axes[0].values[0].settings(), [vec!["network.mask_ratio=0.125".to_owned()], vec![]]);
        assert_eq!(slug(&recipe.axes[0], &recipe.axes[0].values[0]), "mask-1-8");
        assert_eq!(recipe.axes[0].values.iter().map(AxisValue::is_base).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(TableRecipe::parse(&recipe.to_toml().unwrap(), "again").unwrap(), recipe);
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        let cases = [
            ("", "labels"),
            ("[[labels]]\npart = 0.0", "labels.part is 0"),
            ("[[labels]]\npart = 0.5\n[[labels]]\npart = 0.1", "must rise"),
            ("[[labels]]\npart = 0.5\nrows = []", "labels.rows of part 0.5"),
            ("[[labels]]\npart = 0.5\nrows = ['knn']", "unknown variant `knn`"),
            ("[[labels]]\npart = 0.5\nsteps = 3", "unknown field `steps`"),
            (
                "[[labels]]\npart = 0.5\n[[axis]]\nname = 'a'\nvalues = [{ name = '1/2' }, { name = '1-2' }]",
                "share the folder a-1-2",
            ),
        ];
        let mut wrong = Vec::new();
        for (text, expected) in cases {
            match TableRecipe::parse(&format!("{PLAIN}{text}"), "my.toml") {
                Ok(_) => wrong.push(format!("{text:?} is accepted")),
                Err(error) if error.to_string().contains(expected) && error.to_string().contains("my.toml") => {}
                Err(error) => wrong.push(format!("{text:?}: {error} does not say {expected:?}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
