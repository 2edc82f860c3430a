//! A small data set whose pretext and classes can be learned in seconds, and recipes for it.

#![allow(dead_code, reason = "every test file uses a part")]

use selfie_train::data::idx::{Images, encode_labels};
use selfie_train::data::idx_set::FILES;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SIDE: usize = 16;

/// A folder with the data set and two recipes.
pub struct Toy {
    folder: TempDir,
}

impl Toy {
    pub fn new() -> Self {
        let toy = Self { folder: tempfile::tempdir().unwrap() };
        for (split, count) in [(0, 128), (2, 40)] {
            let labels: Vec<u8> = (0..count).map(|image| (image % 2) as u8).collect();
            let pixels = labels.iter().enumerate().flat_map(|(image, label)| picture(image, *label)).collect();
            let images = Images { count, rows: SIDE, columns: SIDE, pixels };
            std::fs::write(toy.path(FILES[split]), images.encode()).unwrap();
            std::fs::write(toy.path(FILES[split + 1]), encode_labels(&labels)).unwrap();
        }
        for (stage, rest) in [("pretrain", ""), ("finetune", "label_fraction = 0.5")] {
            std::fs::write(toy.path(&format!("{stage}.toml")), recipe(stage, &toy.data(), rest)).unwrap();
        }
        toy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> String {
        format!("idx:{}", self.folder.path().display())
    }

    pub fn recipe(&self, stage: &str) -> String {
        self.path(&format!("{stage}.toml")).display().to_string()
    }
}

/// Each quarter has its own pattern, which says where it belongs; the class is the contrast.
fn picture(image: usize, label: u8) -> Vec<u8> {
    let contrast = if label == 0 { 40 } else { 120 };
    let shift = image * 7 % 5;
    let pixel = |row: usize, column: usize| {
        let stripe = match (row / 8, column / 8) {
            (0, 0) => row + shift,
            (0, _) => column + shift,
            (_, 0) => row + column + shift,
            _ => 2 * row + shift,
        };
        128 + if stripe % 4 < 2 { contrast } else { 0 } - (image % 3) as u8
    };
    (0..SIDE * SIDE).map(|place| pixel(place / SIDE, place % SIDE)).collect()
}

fn recipe(stage: &str, data: &str, rest: &str) -> String {
    format!(
        "name = \"toy-{stage}\"\nstage = \"{stage}\"\ndata = {data:?}\nsteps = 30\nbatch_size = 16\nlr = 0.05\n\
         warmup_steps = 3\nclip_norm = 1.0\nlog_every = 5\ncheckpoint_every = 3\n{rest}\n\
         [augment]\ncrop_padding = 1\n\
         [network]\npreset = \"tiny\"\nwidth = 2\nmask_ratio = 0.5\nhead = \"attention-pooling\"\n\
         positions_on_inputs = true\nnorm_patches = true\nscale_scores = true\n\
         [network.pooling]\nlayers = 1\nheads = 2\nfeed_forward = 8\ndropout = 0.1\n"
    )
}

/// The bytes of a run's weights.
pub fn weights(run: &Path) -> Vec<u8> {
    std::fs::read(run.join("weights.safetensors")).unwrap()
}
