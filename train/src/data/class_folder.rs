//! A folder of images for every class; at the top, or inside of folders named `train`, `val` and `test`.

use super::catalog::Catalog;
use super::image_files::{check_folder, entries, file_name, is_image, no_images, samples, unread};
use super::reading::Reading;
use super::roots::Roots;
use super::split_name::SplitName;
use super::{DataError, Place, Source};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) const SOURCE: Source = Source {
    name: "folder",
    argument: Some("FOLDER"),
    description: "your own images, a folder for every class, inside of train, val and test if you like",
    images: None,
    classes: None,
    licence: "yours",
    pinned: false,
    place: |_| Place::Argument,
    catalog,
    fetch: None,
};

fn catalog(argument: &str, _: &Roots, _: &Reading) -> Result<Catalog, DataError> {
    let folder = Path::new(argument);
    check_folder(folder)?;
    let splits = splits(folder)?;
    let classes: Vec<(SplitName, Vec<PathBuf>)> = splits
        .into_iter()
        .map(|(split, folder)| Ok((split, class_folders(&folder)?)))
        .collect::<Result<_, DataError>>()?;
    let names: BTreeSet<&str> = classes.iter().flat_map(|(_, folders)| folders).map(|path| file_name(path)).collect();
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let mut catalog = Catalog::new(format!("folder:{argument}"), names.clone());
    for (split, folders) in &classes {
        for folder in folders {
            let label = names.iter().position(|name| name == file_name(folder)).unwrap_or_default();
            let found = samples(folder, label as i64)?;
            catalog.split_mut(*split).extend(found);
        }
    }
    if catalog.train.is_empty() {
        return Err(no_images(folder));
    }
    catalog.notices.extend(unread(folder)?);
    Ok(catalog)
}

/// The folders of the splits, or the folder itself as the one of the training images.
///
/// A folder `train` that holds images beside folders that are no splits is a class as they are.
fn splits(folder: &Path) -> Result<Vec<(SplitName, PathBuf)>, DataError> {
    let folders = class_folders(folder)?;
    let is_class = match folders.iter().find(|folder| file_name(folder) == "train") {
        Some(train) => {
            let has_others = folders.iter().any(|folder| SplitName::of(file_name(folder)).is_none());
            has_others && entries(train)?.0.iter().any(|file| is_image(file))
        }
        None => true,
    };
    if is_class {
        return Ok(vec![(SplitName::Train, folder.to_owned())]);
    }
    let split = |path: PathBuf| match SplitName::of(file_name(&path)) {
        Some(split) => Ok((split, path)),
        None => Err(DataError::Format {
            file: path.display().to_string(),
            problem:
                "it lies beside a folder train, but its name is not train, val or test; move it away, or put images \
                      right into train if that is a class"
                    .to_owned(),
        }),
    };
    folders.into_iter().map(split).collect()
}

/// The folders of the classes; an image beside them would belong to none.
fn class_folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let (files, folders) = entries(folder)?;
    match files.iter().find(|file| is_image(file)) {
        Some(stray) => Err(DataError::Format {
            file: stray.display().to_string(),
            problem: "it lies in no folder of a class; move it into one, or read images without labels with \
                      images:FOLDER"
                .to_owned(),
        }),
        None => Ok(folders),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::data::decode::tests::encoded;
    use image::ImageFormat;
    use std::fs;
    use tempfile::TempDir;

    fn folder(files: &[&str]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (index, file) in files.iter().enumerate() {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // The left column tells images apart.
            let mut bytes = encoded(8, 8, 1, ImageFormat::Bmp);
            let last = bytes.len() - 1;
            bytes[last] = index as u8;
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    fn open(folder: &TempDir) -> Result<Dataset, DataError> {
        crate::data::open(&format!("folder:{}", folder.path().display()))
    }

    #[test]
    fn classes_are_folders_and_splits_are_folders_of_folders() {
        let dataset =
            open(&folder(&["train/dog/1.bmp", "train/cat/x/2.bmp", "val/dog/3.bmp", "test/cat/4.bmp"])).unwrap();
        assert_eq!(dataset.labels, ["cat", "dog"]);
        assert_eq!(
            (dataset.train.labels, dataset.validation.labels, dataset.test.labels),
            (vec![0, 1], vec![1], vec![0])
        );
        let dataset = open(&folder(&["dog/1.bmp", "dog/2.bmp", "cat/3.bmp", "cat/4.bmp"])).unwrap();
        assert_eq!((dataset.train.labels, dataset.test.labels), (vec![0, 1], vec![0, 1]));
        let files = ["bus/1.bmp", "bus/2.bmp", "car/3.bmp", "car/4.bmp", "train/5.bmp", "train/6.bmp"];
        let dataset = open(&folder(&files)).unwrap();
        assert_eq!((&dataset.labels[..], dataset.train.len()), (&["bus", "car", "train"].map(str::to_owned)[..], 3));
    }

    #[test]
    fn wrong_layouts_say_what_is_wrong() {
        let cases = [
            (folder(&["dog/1.bmp", "2.bmp"]), "2.bmp: it lies in no folder of a class"),
            (folder(&["train/dog/1.bmp", "other/dog/2.bmp"]), "other: it lies beside a folder train"),
            (folder(&["train/1.bmp", "test/2.bmp"]), "2.bmp: it lies in no folder of a class"),
            (folder(&["dog/1.txt"]), "there is no image in it"),
            (folder(&["dog/1.bmp"]), "1 training image and 0 test images"),
        ];
        for (folder, part) in &cases {
            let message = open(folder).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
        let unseen = open(&folder(&["train/dog/1.bmp", "train/dog/2.bmp", "test/cat/3.bmp"])).unwrap();
        let message = unseen.check_classes().unwrap_err().to_string();
        assert!(message.contains("class \"cat\" has no training image"), "{message}");
    }
}
