//! Downsampled ImageNet, in pickles or `.npz` archives: images of 32x32, or of any other side, as rows of bytes.
//!
//! # Source
//! P. Chrabaszcz, I. Loshchilov, F. Hutter, "A Downsampled Variant of ImageNet as an Alternative to the CIFAR
//! datasets", 2017, <https://patrykchrabaszcz.github.io/Imagenet32/>.

use super::array::Array;
use super::catalog::Catalog;
use super::class_names::class_names;
use super::decode::Shape;
use super::image_files::{check_folder, entries, file_name};
use super::npz::Npz;
use super::pickle::Pickle;
use super::reading::Reading;
use super::roots::Roots;
use super::sample::{Origin, Sample};
use super::split_name::SplitName;
use super::store::StoreWriter;
use super::{DataError, Place, Source};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const SOURCE: Source = Source {
    name: "imagenet32",
    argument: Some("FOLDER"),
    description: "downsampled ImageNet, its pickles or .npz files, class names in labels.txt if you like",
    images: Some((1_281_167, 50_000)),
    classes: Some(1000),
    licence: "that of ImageNet",
    pinned: false,
    place: |_| Place::Argument,
    catalog,
    fetch: None,
};

/// One image before the store of all is made.
struct Row {
    split: SplitName,
    file: Arc<str>,
    offset: u64,
    shape: Shape,
    index: usize,
    label: i64,
}

fn catalog(argument: &str, roots: &Roots, reading: &Reading) -> Result<Catalog, DataError> {
    let folder = Path::new(argument);
    let mut writer = StoreWriter::new(reading.memory_limit(), roots.spill());
    let mut rows = Vec::new();
    for (split, path) in batches(folder)? {
        let file: Arc<str> = path.display().to_string().into();
        let problem = |problem: String| DataError::Format { file: file.to_string(), problem };
        let (data, labels) = arrays(&path)?;
        let (count, len) = data.byte_rows().map_err(problem)?;
        let shape = square(len).ok_or_else(|| problem(format!("rows of {len} bytes are no square colour images")))?;
        if count != labels.len() {
            return Err(problem(format!("it has {count} images, but {} labels", labels.len())));
        }
        if labels.contains(&0) {
            return Err(problem(
                "it has labels of 0, but downsampled ImageNet counts them from 1; add 1 to all".to_owned(),
            ));
        }
        let start = writer.push(&data.bytes)?;
        rows.extend(labels.into_iter().enumerate().map(|(index, label)| {
            let offset = start + (index * len) as u64;
            // Labels are counted from 1.
            Row { split, file: file.clone(), offset, shape, index, label: label - 1 }
        }));
    }
    let store = Arc::new(writer.finish()?);
    let mut catalog = Catalog::new(format!("imagenet32:{argument}"), Vec::new());
    for Row { split, file, offset, shape, index, label } in rows {
        let origin = Origin::Pixels { store: store.clone(), offset, shape, index };
        catalog.split_mut(split).push(Sample { file, origin, label });
    }
    match class_names(folder)? {
        Some(names) => catalog.labels = names,
        None => catalog.number_classes()?,
    }
    Ok(catalog)
}

/// The files whose names tell their split, as in `train_data_batch_1` and `val_data.npz`.
fn batches(folder: &Path) -> Result<Vec<(SplitName, PathBuf)>, DataError> {
    check_folder(folder)?;
    let (files, _) = entries(folder)?;
    let batch = |path: PathBuf| {
        let name = file_name(&path);
        let known = name.contains("_data") && (!name.contains('.') || name.ends_with(".npz"));
        SplitName::of(name).filter(|_| known).map(|split| (split, path))
    };
    let batches: Vec<_> = files.into_iter().filter_map(batch).collect();
    let problem = |problem: String| DataError::Format { file: folder.display().to_string(), problem };
    if !batches.iter().any(|(split, _)| *split == SplitName::Train) {
        return Err(problem("it has no file train_data_batch_1, plain or with .npz".to_owned()));
    }
    let twice = batches
        .iter()
        .find(|(_, path)| batches.iter().any(|(_, other)| other == &path.with_extension("npz") && other != path));
    match twice {
        Some((_, path)) => Err(problem(format!("{} is there twice, as pickle and as .npz; keep one", file_name(path)))),
        None => Ok(batches),
    }
}

fn arrays(path: &Path) -> Result<(Array, Vec<i64>), DataError> {
    if path.extension().is_some() {
        let mut npz = Npz::open(path)?;
        let (data, labels) = (npz.array("data")?, npz.array("labels")?.integers());
        let file = path.display().to_string();
        return Ok((data, labels.map_err(|problem| DataError::Format { file, problem })?));
    }
    let mut pickle = Pickle::read(path)?;
    Ok((pickle.array("data")?, pickle.integers("labels")?))
}

/// The shape of a square colour image of a number of bytes.
fn square(len: usize) -> Option<Shape> {
    let side = (len / 3).isqrt();
    (len > 0 && 3 * side * side == len).then_some(Shape { height: side, width: side, channels: 3 })
}
