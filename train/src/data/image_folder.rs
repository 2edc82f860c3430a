//! A folder of images without labels, at any depth.
//!
//! Where a folder at the top is named `train`, those named `val` or `test` are other splits; else images are held out for
//! testing.

use super::catalog::Catalog;
use super::image_files::{check_folder, entries, file_name, is_image, no_images, sample, samples, unread};
use super::reading::Reading;
use super::roots::Roots;
use super::split_name::SplitName;
use super::{DataError, Place, Source};
use std::path::Path;

pub(crate) const SOURCE: Source = Source {
    name: "images",
    argument: Some("FOLDER"),
    description: "your own images without labels, at any depth",
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
    let mut catalog = Catalog::new(format!("images:{argument}"), Vec::new());
    let (files, folders) = entries(folder)?;
    if folders.iter().any(|folder| file_name(folder) == "train") {
        for file in files.iter().filter(|file| is_image(file)) {
            catalog.train.push(sample(file, 0)?);
        }
        for part in &folders {
            let split = SplitName::of(file_name(part)).unwrap_or(SplitName::Train);
            let found = samples(part, 0)?;
            catalog.split_mut(split).extend(found);
        }
    } else {
        catalog.train = samples(folder, 0)?;
    }
    if catalog.train.is_empty() {
        return Err(no_images(folder));
    }
    catalog.notices.extend(unread(folder)?);
    Ok(catalog)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::decode::tests::encoded;
    use crate::data::{Reading, open_with};
    use image::ImageFormat;
    use std::fs;

    #[test]
    fn images_are_found_at_any_depth_and_a_part_is_held_out() {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..10 {
            let path = folder.path().join(format!("a/{}", index % 3));
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join(format!("{index}.PNG")), encoded(9 + index, 9, 3, ImageFormat::Png)).unwrap();
        }
        for name in ["notes.txt", "1.HEIC", "2.heic", "3.tif"] {
            fs::write(folder.path().join("a").join(name), "not read").unwrap();
        }
        fs::write(folder.path().join("a/.hidden.png"), "no image").unwrap();
        let spec = format!("images:{}", folder.path().display());
        let dataset = open_with(&spec, &Reading { size: Some(8), held_out: 0.3, ..Reading::default() }).unwrap();
        assert_eq!((dataset.train.len(), dataset.test.len(), dataset.labels.len()), (7, 3, 0));
        assert!(dataset.notices[0].ends_with("not read: 2 .heic, 1 .tif"), "{:?}", dataset.notices);
        let message = dataset.check_classes().unwrap_err().to_string();
        assert!(message.contains("has no labels"), "{message}");
    }

    #[test]
    fn a_folder_without_images_says_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path| crate::data::open(&format!("images:{}", path.display())).unwrap_err().to_string();
        assert!(message(folder.path()).contains(".jpeg"), "{}", message(folder.path()));
        assert!(message(&folder.path().join("nowhere")).contains("no such folder"));
    }
}
