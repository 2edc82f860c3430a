//! Tar shards of images. The class is the folder of an image in the archive, or what a file `NAME.cls` beside `NAME.jpg` says,
//! as WebDataset has it.

use super::{extension, io, is_hidden, is_image};
use crate::Error;
use crate::offline::item::{Item, Place, Seen};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use tar::Archive;

/// A file with a class in it is short.
const MAX_CLASS_BYTES: u64 = 4096;

/// Adds every image of the archive in its order.
pub fn list(path: &Path, seen: Seen, items: &mut Vec<Item>) -> Result<(), Error> {
    let damaged = |error: std::io::Error| Error::Input {
        path: path.to_owned(),
        reason: format!("is no complete tar file ({error}); compressed ones are unpacked first"),
    };
    let file: Arc<Path> = path.into();
    let open = File::open(path).map_err(|source| io(path, source))?;
    let mut archive = Archive::new(BufReader::new(open));
    let (mut classes, mut found) = (BTreeMap::<PathBuf, Arc<str>>::new(), Vec::new());
    for entry in archive.entries_with_seek().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let inside = entry.path().map_err(damaged)?.into_owned();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let (offset, len) = (entry.raw_file_position(), entry.size());
        if offset.saturating_add(len) > seen.len {
            return Err(damaged(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let is_hidden = |part: Component<'_>| matches!(part, Component::Normal(name) if is_hidden(name));
        if is_image(&inside) && !inside.components().any(is_hidden) {
            found.push((inside, Place::Tar { file: file.clone(), offset, len }));
        } else if extension(&inside) == "cls" && len <= MAX_CLASS_BYTES {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(damaged)?;
            classes.insert(inside.with_extension(""), text.trim().into());
        }
    }
    for (inside, place) in found {
        let folder = inside.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into());
        let label = classes.get(&inside.with_extension("")).cloned().or(folder);
        let id = format!("{}:{}", path.display(), inside.display());
        items.push(Item { id, label, place, seen });
    }
    Ok(())
}

/// Reads images of tar files; the file of the last one stays open.
#[derive(Default)]
pub struct Archives {
    open: Option<(Arc<Path>, File)>,
}

impl Archives {
    /// The bytes of one image.
    pub fn read(&mut self, file: &Arc<Path>, offset: u64, len: u64) -> Result<Vec<u8>, Error> {
        let wrong = |source| io(file, source);
        let mut open = match self.open.take() {
            Some((path, open)) if path == *file => open,
            _ => File::open(file).map_err(wrong)?,
        };
        open.seek(SeekFrom::Start(offset)).map_err(wrong)?;
        let mut bytes = Vec::new();
        open.by_ref().take(len).read_to_end(&mut bytes).map_err(wrong)?;
        self.open = Some((file.clone(), open));
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(path: &Path, files: &[(&str, &[u8])]) {
        let mut archive = tar::Builder::new(File::create(path).unwrap());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, *bytes).unwrap();
        }
        archive.finish().unwrap();
    }

    #[test]
    fn every_image_is_found_with_its_class_and_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard.tar");
        let files: [(&str, &[u8]); 6] = [
            ("0.jpg", b"zero"),
            ("0.cls", b"7\n"),
            ("./cat/1.png", b"one"),
            ("cat/.copies/1.png", b"no"),
            ("readme.txt", b"no"),
            ("2.png", b""),
        ];
        archive(&path, &files);
        let seen = Seen { len: std::fs::metadata(&path).unwrap().len(), ..Seen::default() };
        let (mut items, mut archives) = (Vec::new(), Archives::default());
        list(&path, seen, &mut items).unwrap();
        let mut found = Vec::new();
        for item in &items {
            let Place::Tar { file, offset, len } = &item.place else { panic!("{item:?}") };
            found.push((item.label.as_deref(), archives.read(file, *offset, *len).unwrap()));
        }
        let expected = [(Some("7"), b"zero".to_vec()), (Some("cat"), b"one".to_vec()), (None, Vec::new())];
        assert_eq!(found, expected);
        assert!(items[1].id.ends_with("cat/1.png"), "{}", items[1].id);
    }

    #[test]
    fn a_truncated_archive_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard.tar");
        archive(&path, &[("0.jpg", &[1; 3000])]);
        File::options().write(true).open(&path).unwrap().set_len(2000).unwrap();
        let error = list(&path, Seen { len: 2000, ..Seen::default() }, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("shard.tar"), "{error}");
    }
}
