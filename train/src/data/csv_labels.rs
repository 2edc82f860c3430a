//! A CSV file of image files and their classes, with an optional column that names the split.

use super::catalog::Catalog;
use super::image_files::sample;
use super::reading::Reading;
use super::roots::Roots;
use super::split_name::SplitName;
use super::{DataError, Place, Source};
use std::collections::BTreeSet;
use std::path::Path;

pub(crate) const SOURCE: Source = Source {
    name: "csv",
    argument: Some("FILE"),
    description: "your own images by a CSV file with the columns file, label and, if you like, split",
    images: None,
    classes: None,
    licence: "yours",
    pinned: false,
    place: |_| Place::Argument,
    catalog,
    fetch: None,
};

/// Names that a column may have, in lower case.
const FILE: &[&str] = &["file", "filename", "file_name", "path", "image"];
const LABEL: &[&str] = &["label", "class", "category", "target"];
const SPLIT: &[&str] = &["split", "set"];

/// One line: file, class, split.
type Line = (String, String, SplitName);

fn catalog(argument: &str, _: &Roots, _: &Reading) -> Result<Catalog, DataError> {
    let path = Path::new(argument);
    let lines = read(path)?;
    let names: BTreeSet<&String> = lines.iter().map(|(_, label, _)| label).collect();
    let names: Vec<String> = in_order(names.into_iter().cloned().collect());
    // Files are named from where the CSV file lies.
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut catalog = Catalog::new(format!("csv:{argument}"), names.clone());
    for (file, label, split) in lines {
        let label = names.iter().position(|name| *name == label).unwrap_or_default();
        let sample = sample(&folder.join(file), label as i64)?;
        catalog.split_mut(split).push(sample);
    }
    Ok(catalog)
}

/// Numbers are sorted as numbers, so that class 10 follows class 9.
fn in_order(mut names: Vec<String>) -> Vec<String> {
    if names.iter().all(|name| name.parse::<u64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<u64>().unwrap_or_default());
    }
    names
}

fn read(path: &Path) -> Result<Vec<Line>, DataError> {
    let problem = |problem: String| DataError::Format { file: path.display().to_string(), problem };
    let text =
        std::fs::read_to_string(path).map_err(|error| problem(format!("it cannot be read as UTF-8: {error}")))?;
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(delimiter(&text)).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| problem(error.to_string()))?.clone();
    let column =
        |known: &[&str]| header.iter().position(|name| known.contains(&name.to_lowercase().replace(' ', "_").as_str()));
    let needed = |known: &[&str]| {
        let found: Vec<&str> = header.iter().collect();
        column(known)
            .ok_or_else(|| problem(format!("it has the columns {found:?}, but none is called {}", known.join(" or "))))
    };
    let (file, label, split) = (needed(FILE)?, needed(LABEL)?, column(SPLIT));
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| problem(error.to_string()))?;
        let number = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| record.get(column).unwrap_or_default();
        if let Some(empty) = [file, label].into_iter().find(|&column| cell(column).is_empty()) {
            return Err(problem(format!("line {number} has nothing in the column {}", &header[empty])));
        }
        let split = match split.map(cell) {
            Some(name) => SplitName::of(name)
                .ok_or_else(|| problem(format!("line {number}: the split {name:?} is not train, val or test")))?,
            None => SplitName::Train,
        };
        lines.push((cell(file).to_owned(), cell(label).to_owned(), split));
    }
    if lines.is_empty() {
        return Err(problem("there is no image in it".to_owned()));
    }
    Ok(lines)
}

/// What stands between columns: spreadsheets also write semicolons and tabs.
fn delimiter(text: &str) -> u8 {
    let header = text.trim_start().lines().next().unwrap_or_default();
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    // Of equally many the last one counts.
    b"\t;,".iter().copied().max_by_key(count).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::data::decode::tests::encoded;
    use image::ImageFormat;
    use std::fs;

    fn open(text: &str) -> Result<Dataset, DataError> {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..4 {
            let mut bytes = encoded(8, 8, 3, ImageFormat::Bmp);
            let last = bytes.len() - 1;
            bytes[last] = index;
            fs::write(folder.path().join(format!("{index}.bmp")), bytes).unwrap();
        }
        let path = folder.path().join("labels.csv");
        fs::write(&path, text).unwrap();
        crate::data::open(&format!("csv:{}", path.display()))
    }

    #[test]
    fn columns_are_found_by_name_and_numbers_stay_in_order() {
        let dataset = open("split,Label,filename\ntrain, 10 ,0.bmp\ntrain,9,1.bmp\ntest,9,2.bmp\n").unwrap();
        assert_eq!(dataset.labels, ["9", "10"]);
        assert_eq!((dataset.train.labels, dataset.test.labels), (vec![1, 0], vec![0]));
        for text in ["\u{feff}File Name;Label\r\n0.bmp;a\r\n1.bmp;a\r\n", "file\tlabel\n0.bmp\ta, b\n1.bmp\ta, b\n"] {
            assert_eq!(open(text).unwrap().labels.len(), 1, "{text}");
        }
        let dataset = open("file,class\n0.bmp,b\n1.bmp,b\n\"2.bmp\",a\n3.bmp,a\n").unwrap();
        assert_eq!((dataset.labels, dataset.train.len(), dataset.test.len()), (vec!["a".into(), "b".into()], 2, 2));
    }

    #[test]
    fn wrong_files_say_what_is_wrong_and_where() {
        let cases = [
            ("name,label\n0.bmp,a\n", "none is called file or filename"),
            ("file,kind\n0.bmp,a\n", "none is called label or class"),
            ("file,label\n0.bmp,a\n1.bmp,\n", "line 3 has nothing in the column label"),
            ("file,label,split\n0.bmp,a,holdout\n", "line 2: the split \"holdout\" is not train, val or test"),
            ("file,label\n0.bmp,a,b\n", "found record with 3 fields"),
            ("file,label\n", "there is no image in it"),
            ("file,label\n0.bmp,a\nlost.bmp,a\n2.bmp,a\n", "lost.bmp is damaged: No such file"),
        ];
        for (text, part) in cases {
            let message = open(text).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}
