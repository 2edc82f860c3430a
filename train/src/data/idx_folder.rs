//! Any data set in the four IDX files, with class names in `labels.txt` where they are known.

use super::catalog::Catalog;
use super::class_names::class_names;
use super::idx_set::IdxSet;
use super::reading::Reading;
use super::roots::Roots;
use super::{DataError, Place, Source};
use std::path::Path;

pub(crate) const SOURCE: Source = Source {
    name: "idx",
    argument: Some("FOLDER"),
    description: "your own grey images in four IDX files, class names one a line in labels.txt if you like",
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
    let files = IdxSet::read(folder)?;
    let labels = class_names(folder)?.unwrap_or_else(|| numbers(&files.train.labels));
    Ok(files.catalog(&format!("idx:{argument}"), labels))
}

fn numbers(labels: &[u8]) -> Vec<String> {
    let classes = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    (0..classes).map(|class| class.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::data::class_names::CLASS_NAMES;
    use crate::data::idx::{Images, encode_labels};
    use crate::data::idx_set::FILES;
    use std::fs;
    use tempfile::TempDir;

    fn folder(train: &[u8], test: &[u8], names: Option<&str>) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: Vec<u8>| fs::write(folder.path().join(name), content).unwrap();
        for (labels, [images_file, labels_file]) in [(train, [FILES[0], FILES[1]]), (test, [FILES[2], FILES[3]])] {
            let pixels = (0..labels.len() * 30).map(|index| index as u8).collect();
            write(images_file, Images { count: labels.len(), rows: 5, columns: 6, pixels }.encode());
            write(labels_file, encode_labels(labels));
        }
        if let Some(names) = names {
            write(CLASS_NAMES, names.as_bytes().to_vec());
        }
        folder
    }

    fn open_folder(folder: &TempDir) -> Result<Dataset, DataError> {
        crate::data::open(&format!("idx:{}", folder.path().display()))
    }

    #[test]
    fn classes_are_numbers_or_the_names_in_the_folder() {
        let dataset = open_folder(&folder(&[0, 2, 1], &[2], None)).unwrap();
        assert_eq!(dataset.labels, ["0", "1", "2"]);
        let dataset = open_folder(&folder(&[0, 1], &[1], Some("cat\n dog \nneither\n"))).unwrap();
        assert_eq!(dataset.labels, ["cat", "dog", "neither"]);
        assert_eq!((dataset.train.len(), dataset.test.len(), dataset.height, dataset.width), (2, 1, 8, 8));
    }

    #[test]
    fn wrong_folders_say_what_is_wrong() {
        let cases = [
            (folder(&[0, 1], &[2], None), "label 2 at position 0 is out of range, there are 2 classes"),
            (folder(&[0, 5], &[0], Some("a\nb\n")), "label 5 at position 1"),
            (folder(&[0], &[0], Some("")), "labels.txt: there is no class name in it"),
            (folder(&[0], &[0], Some("a\n\nb\n")), "labels.txt: line 2 is empty"),
            (folder(&[0], &[0], Some("a\nb\na\n")), "labels.txt: line 3 repeats the name \"a\""),
        ];
        for (folder, part) in &cases {
            let message = open_folder(folder).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}
