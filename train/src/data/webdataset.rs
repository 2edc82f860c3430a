//! WebDataset: tar files in which the files of a sample share their name up to the first dot, as in `7.jpg` and `7.cls`.

use super::catalog::Catalog;
use super::class_names::class_names;
use super::decode::EXTENSIONS;
use super::image_files::{check_folder, entries, file_name};
use super::marks::{Classes, Mark};
use super::reading::Reading;
use super::roots::Roots;
use super::sample::{EntryName, Origin, Sample};
use super::split_name::SplitName;
use super::store::Store;
use super::{DataError, Place, Source};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tar::Archive;

pub(crate) const SOURCE: Source = Source {
    name: "webdataset",
    argument: Some("FOLDER|FILE"),
    description: "tar files of KEY.jpg with KEY.cls or KEY.json, splits by file names",
    images: None,
    classes: None,
    licence: "yours",
    pinned: false,
    place: |_| Place::Argument,
    catalog,
    fetch: None,
};

/// Keys of a label in a `.json` file; the first that is there counts.
const JSON_KEYS: [&str; 3] = ["label", "cls", "class"];

/// The files that share a key.
#[derive(Default)]
struct Group {
    key: String,
    image: Option<(u64, usize, String)>,
    /// What stands in its `.cls` or `.json` file.
    mark: Option<Mark>,
}

fn catalog(argument: &str, _: &Roots, _: &Reading) -> Result<Catalog, DataError> {
    let path = Path::new(argument);
    let shards = shards(path)?;
    let mut catalog = Catalog::new(format!("webdataset:{argument}"), Vec::new());
    SplitName::all_or_none(&shards.iter().map(|path| file_name(path)).collect::<Vec<_>>(), &catalog)?;
    let mut marks: Vec<(SplitName, usize, Option<Mark>)> = Vec::new();
    for path in &shards {
        let split = SplitName::of(file_name(path)).unwrap_or(SplitName::Train);
        for (sample, mark) in shard(path)? {
            let samples = catalog.split_mut(split);
            marks.push((split, samples.len(), mark));
            samples.push(sample);
        }
    }
    let listed = class_names(if path.is_file() { path.parent().unwrap_or(path) } else { path })?;
    label(&mut catalog, marks, listed)?;
    Ok(catalog)
}

fn shards(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    check_folder(path)?;
    let (mut files, _) = entries(path)?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "tar"));
    match files.is_empty() {
        true => Err(DataError::Format {
            file: path.display().to_string(),
            problem: "there is no file in it that ends with .tar; unpack compressed ones with gunzip".to_owned(),
        }),
        false => Ok(files),
    }
}

/// The samples of a tar file, which stay where they are in it.
fn shard(path: &Path) -> Result<Vec<(Sample, Option<Mark>)>, DataError> {
    let file: Arc<str> = path.display().to_string().into();
    let problem = |problem: String| DataError::Format { file: file.to_string(), problem };
    let damaged = |error: std::io::Error| problem(format!("it is no readable tar file, or it is cut off: {error}"));
    let store = Arc::new(Store::File(path.to_owned()));
    let mut archive = Archive::new(File::open(path).map_err(DataError::io("read", path))?);
    let (mut found, mut group) = (Vec::new(), Group::default());
    let finish = |group: Group| -> Result<Option<(Sample, Option<Mark>)>, DataError> {
        if group.key.is_empty() {
            return Ok(None);
        }
        let (offset, len, name) = group.image.ok_or_else(|| {
            problem(format!("{} has no image; its files must end with .{}", group.key, EXTENSIONS.join(", .")))
        })?;
        let origin = Origin::Entry { store: store.clone(), offset, len, name: EntryName::Name(name.into()) };
        Ok(Some((Sample { file: file.clone(), origin, label: 0 }, group.mark)))
    };
    for entry in archive.entries_with_seek().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((key, ending)) = split(&name).filter(|_| entry.header().entry_type().is_file()) else { continue };
        if key != group.key {
            found.extend(finish(std::mem::replace(&mut group, Group { key: key.to_owned(), ..Group::default() }))?);
        }
        let ending = ending.to_ascii_lowercase();
        if EXTENSIONS.contains(&ending.as_str()) {
            if group.image.is_some() {
                return Err(problem(format!("{key} has two images; keep one")));
            }
            let len = usize::try_from(entry.size()).map_err(|error| problem(format!("{name}: {error}")))?;
            group.image = Some((entry.raw_file_position(), len, name));
        } else if ending == "cls" || (ending == "json" && group.mark.is_none()) {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(|error| problem(format!("{name}: {error}")))?;
            let mark = if ending == "cls" {
                Some(Mark::parse(text.trim()))
            } else {
                json_mark(&text).map_err(|error| problem(format!("{name}: {error}")))?
            };
            group.mark = mark.or(group.mark.take());
        }
    }
    found.extend(finish(group)?);
    Ok(found)
}

/// Key and ending of a file: what stands before and after the first dot of its name.
fn split(name: &str) -> Option<(&str, &str)> {
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = start + name[start..].find('.').filter(|dot| *dot > 0)?;
    Some((&name[..dot], &name[dot + 1..]))
}

fn json_mark(text: &str) -> Result<Option<Mark>, serde_json::Error> {
    let value: Value = serde_json::from_str(text)?;
    Ok(JSON_KEYS.iter().find_map(|key| match &value[*key] {
        Value::Number(number) => number.as_i64().map(Mark::Number),
        Value::String(name) => Some(Mark::parse(name)),
        _ => None,
    }))
}

/// Gives all samples their labels, where there are any.
fn label(
    catalog: &mut Catalog,
    marks: Vec<(SplitName, usize, Option<Mark>)>,
    listed: Option<Vec<String>>,
) -> Result<(), DataError> {
    if marks.iter().all(|(.., mark)| mark.is_none()) {
        return Ok(());
    }
    let classes = Classes::of(marks.iter().filter_map(|(.., mark)| mark.as_ref()), listed);
    for (split, index, mark) in marks {
        let sample = &mut catalog.split_mut(split)[index];
        let label = match mark {
            Some(mark) => classes.label(&mark),
            None => Err("it has no label, but others have; add a .cls file".to_owned()),
        };
        sample.label = label.map_err(|problem| DataError::Format { file: sample.name(), problem })?;
    }
    classes.name(catalog)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_dot_of_the_file_name_ends_the_key() {
        let cases = [
            ("a/b.c/7.seg.png", Some(("a/b.c/7", "seg.png"))),
            ("7.jpg", Some(("7", "jpg"))),
            ("a/.hidden", None),
            ("README", None),
        ];
        for (name, expected) in cases {
            assert_eq!(split(name), expected, "{name}");
        }
    }

    #[test]
    fn labels_are_numbers_or_names() {
        assert_eq!(Mark::parse("12"), Mark::Number(12));
        assert_eq!(Mark::parse("tabby cat"), Mark::Name("tabby cat".into()));
        assert_eq!(json_mark(r#"{"id": 3, "label": 4}"#).unwrap(), Some(Mark::Number(4)));
        assert_eq!(json_mark(r#"{"cls": "dog"}"#).unwrap(), Some(Mark::Name("dog".into())));
        assert_eq!(json_mark(r#"{"id": 3}"#).unwrap(), None);
        assert!(json_mark("{").is_err());
    }

    /// A tar file of samples of one grey pixel each, with their labels.
    fn tar(path: &Path, labels: &[Option<&str>]) {
        let mut builder = tar::Builder::new(File::create(path).unwrap());
        let mut add = |name: String, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, bytes).unwrap();
        };
        for (index, label) in labels.iter().enumerate() {
            add(format!("{index}.bmp"), b"");
            if let Some(label) = label {
                add(format!("{index}.cls"), label.as_bytes());
            }
        }
        builder.finish().unwrap();
    }

    #[test]
    fn names_are_placed_by_the_list_beside_the_shards() {
        let folder = tempfile::tempdir().unwrap();
        tar(&folder.path().join("0.tar"), &[Some("cat"), Some("dog"), Some("ant")]);
        let argument = folder.path().display().to_string();
        let open = || catalog(&argument, &Roots::from_environment(), &Reading::default());
        let labels = |catalog: &Catalog| catalog.train.iter().map(|sample| sample.label).collect::<Vec<_>>();
        let alone = open().unwrap();
        assert_eq!((labels(&alone), &alone.labels[..]), (vec![1, 2, 0], &["ant", "cat", "dog"].map(str::to_owned)[..]));
        std::fs::write(folder.path().join("labels.txt"), "dog\ncat\nbee\nant\n").unwrap();
        let listed = open().unwrap();
        assert_eq!((labels(&listed), listed.labels.len()), (vec![1, 0, 3], 4));
        std::fs::write(folder.path().join("labels.txt"), "dog\ncat\n").unwrap();
        let message = open().map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("2.bmp: its label \"ant\" is none of the listed classes"), "{message}");
        tar(&folder.path().join("0.tar"), &[None, None]);
        assert_eq!(open().unwrap().labels, Vec::<String>::new(), "a list makes no labels");
    }
}
