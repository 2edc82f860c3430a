//! Makes the bundled sample of Fashion-MNIST out of the full set.
//!
//! `cargo run --release -p selfie-train --example make_sample -- FOLDER OUT` reads the four IDX files of `FOLDER`,
//! chooses 4,000 training and 1,000 test images, the same number for every class, and writes four gzip files to `OUT`.

use flate2::{Compression, GzBuilder};
use selfie_train::data::idx::encode_labels;
use selfie_train::data::idx_set::{FILES, IdxSet, IdxSplit};
use selfie_train::data::stratified;
use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

const SEED: u64 = 0;
const TRAIN_IMAGES: usize = 4_000;
const TEST_IMAGES: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out] = arguments.as_slice() else {
        return Err("usage: make_sample FOLDER OUT".into());
    };
    let set = IdxSet::read(Path::new(folder))?;
    fs::create_dir_all(out)?;
    write(&set.train, TRAIN_IMAGES, [FILES[0], FILES[1]], Path::new(out))?;
    write(&set.test, TEST_IMAGES, [FILES[2], FILES[3]], Path::new(out))
}

fn write(split: &IdxSplit, images: usize, names: [&str; 2], out: &Path) -> Result<(), Box<dyn Error>> {
    let labels: Vec<u32> = split.labels.iter().copied().map(u32::from).collect();
    let chosen = stratified(&labels, images as f64 / split.labels.len() as f64, SEED)?;
    let labels: Vec<u8> = chosen.iter().map(|&index| split.labels[index]).collect();
    for (name, content) in names.into_iter().zip([split.images.select(&chosen).encode(), encode_labels(&labels)]) {
        // Without a time and a name in the header the same content gives the same file.
        let file = File::create(out.join(format!("{name}.gz")))?;
        let mut gzip = GzBuilder::new().mtime(0).write(file, Compression::best());
        gzip.write_all(&content)?;
        let size = gzip.finish()?.metadata()?.len();
        println!("{name}.gz: {} images, {size} bytes", chosen.len());
    }
    Ok(())
}
