//! Folders of images, however deep. The folder that an image lies in is its class, unless it is the one that was named.

use super::{file, io, is_hidden, is_image};
use crate::Error;
use crate::offline::item::{Item, Seen};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Adds every image below `root`, each folder in the order of its names. Neither linked nor hidden folders are followed.
pub fn list(root: &Path, items: &mut Vec<Item>) -> Result<(), Error> {
    walk(root, None, items)
}

fn walk(folder: &Path, label: Option<&Arc<str>>, items: &mut Vec<Item>) -> Result<(), Error> {
    let mut entries =
        fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|source| io(folder, source))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().map_err(|source| io(&path, source))?.is_dir() {
            let name = entry.file_name();
            if !is_hidden(&name) {
                walk(&path, Some(&name.to_string_lossy().into()), items)?;
            }
        } else if is_image(&path) {
            let seen = match fs::metadata(&path) {
                Ok(metadata) => Seen::of(&metadata),
                // A link to nothing: an image that is missing, and not the end of a job that goes on without some.
                Err(error) if error.kind() == ErrorKind::NotFound => Seen::default(),
                Err(source) => return Err(io(&path, source)),
            };
            items.push(file(&path, label.cloned(), seen));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_come_in_the_order_of_names_with_their_folder_as_class() {
        let root = tempfile::tempdir().unwrap();
        for name in
            ["b/2.png", "b/10.PNG", "a/deep/x.jpeg", "c.jpg", "a/notes.txt", "b/._2.png", "a/.png", "a/.copies/x.png"]
        {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let mut items = Vec::new();
        list(root.path(), &mut items).unwrap();
        let found: Vec<(&str, Option<&str>)> = items
            .iter()
            .map(|item| (item.id.strip_prefix(&format!("{}/", root.path().display())).unwrap(), item.label.as_deref()))
            .collect();
        let expected =
            [("a/deep/x.jpeg", Some("deep")), ("b/10.PNG", Some("b")), ("b/2.png", Some("b")), ("c.jpg", None)];
        assert_eq!(found, expected);
    }
}
