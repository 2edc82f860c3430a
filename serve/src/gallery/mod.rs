//! Galleries: files of vectors that are searched, as `selfie embed` writes them. They are read once and never written.

mod map;
mod open;
mod search;
mod vectors;

pub use map::Map;
pub use search::Hit;

use crate::columns::Columns;
use crate::engine::{Engine, Served, Which};
use crate::stamp::Stamp;
use crate::{Config, Error};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use vectors::Vectors;

/// Column of the thumbnails in a Parquet file.
const THUMBNAIL: &str = "thumbnail";

/// One file of vectors.
pub struct Gallery {
    /// Its name: that of the file without its extension.
    pub name: String,
    /// Name of each vector.
    pub ids: Vec<String>,
    /// The model that made the vectors, if the file tells.
    pub stamp: Option<Stamp>,
    vectors: Vectors,
    /// Length of each vector.
    lengths: Vec<f64>,
    /// Class of each vector, a place in `classes`.
    labels: Vec<Option<usize>>,
    classes: Vec<String>,
    /// The file and its column, where it holds thumbnails.
    thumbnails: Option<(Mutex<Columns>, usize)>,
    map: OnceLock<Map>,
}

impl Gallery {
    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.vectors.width
    }

    /// The numbers of a vector.
    pub fn vector(&self, row: usize) -> &[f32] {
        self.vectors.row(row)
    }

    /// Names of the classes, in their order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Class of a vector.
    pub fn label(&self, row: usize) -> Option<&str> {
        self.labels[row].map(|class| self.classes[class].as_str())
    }

    /// Whether the file holds thumbnails.
    pub fn has_thumbnails(&self) -> bool {
        self.thumbnails.is_some()
    }

    /// The thumbnail of a row, read from the file; nothing where there is none.
    ///
    /// # Errors
    /// [`Error::Input`] when the file cannot be read any more.
    pub fn thumbnail(&self, row: usize) -> Result<Option<Vec<u8>>, Error> {
        let Some((columns, column)) = &self.thumbnails else { return Ok(None) };
        // Readers of one file share its position.
        let columns = columns.lock().unwrap_or_else(PoisonError::into_inner);
        let jpeg = columns.bytes(*column, row, 1)?.pop().flatten();
        Ok(jpeg.filter(|jpeg| !jpeg.is_empty()))
    }

    /// The vectors in two dimensions. Whoever asks first makes the map, on all processors; others wait for it.
    pub fn map(&self) -> &Map {
        self.map.get_or_init(|| {
            let start = Instant::now();
            let map = Map::of(self);
            tracing::info!("gallery {}: map of {} vectors in {:.1?}", self.name, map.sample, start.elapsed());
            map
        })
    }

    /// The model that made the vectors, or, for a file that does not tell, the one that the request names.
    ///
    /// # Errors
    /// [`Error::Refused`] when the model that made the vectors is not served, [`Error::Invalid`] when the request names
    /// another one.
    pub fn model(&self, engine: &Engine, name: Option<&str>) -> Result<Arc<Served>, Error> {
        let Some(stamp) = &self.stamp else {
            let served = engine.find(name, Which::Usual)?;
            return match served.model.embedding_width() {
                Some(width) if width == self.width() => Ok(served),
                width => {
                    let (gallery, model, expected) = (&self.name, &served.name, self.width());
                    let found = width.map_or("none".to_owned(), |width| width.to_string());
                    let reason = format!(
                        "gallery \"{gallery}\" has vectors of {expected} numbers, model \"{model}\" gives {found}"
                    );
                    Err(Error::invalid("model", reason))
                }
            };
        };
        let served = engine.with_digest(&stamp.sha256).ok_or_else(|| Error::Refused {
            model: stamp.name.clone(),
            reason: format!("the vectors of gallery \"{}\" are from {stamp}, which is not here", self.name),
        })?;
        let is_it = |named: Arc<Served>| (&named.name, named.version) == (&served.name, served.version);
        match name {
            Some(name) if name != served.name && !engine.find(Some(name), Which::Usual).is_ok_and(is_it) => {
                let reason =
                    format!("gallery \"{}\" is searched with model \"{}\", not \"{name}\"", self.name, served.name);
                Err(Error::invalid("model", reason))
            }
            _ => Ok(served),
        }
    }
}

/// Every gallery of a server, by its name.
#[derive(Default)]
pub struct Galleries(BTreeMap<String, Gallery>);

impl Galleries {
    /// Opens the galleries of the options and compares each with the models that are served.
    ///
    /// # Errors
    /// A file cannot be read, two have the same name, or [`Error::Gallery`]: its vectors are from a model that is not served.
    pub fn open(config: &Config, engine: &Engine) -> Result<Self, Error> {
        let mut galleries = BTreeMap::new();
        for path in &config.gallery {
            let gallery = Gallery::open(path)?;
            let wrong = |reason: String| Error::Gallery { path: path.clone(), reason };
            match &gallery.stamp {
                Some(stamp) if engine.with_digest(&stamp.sha256).is_none() => {
                    let served = engine.served();
                    let here: Vec<String> = served.iter().map(|served| Stamp::of(&served.model).to_string()).collect();
                    return Err(wrong(format!(
                        "its vectors are from {stamp}, here are {}; embed the images again, or serve that model",
                        here.join(", ")
                    )));
                }
                Some(_) => {}
                None => tracing::warn!("{} does not tell which model made its vectors", path.display()),
            }
            tracing::info!("gallery {}: {} vectors of {} numbers", gallery.name, gallery.len(), gallery.width());
            if let Some(other) = galleries.insert(gallery.name.clone(), gallery) {
                return Err(wrong(format!("another gallery has the name \"{}\" already; rename the file", other.name)));
            }
        }
        Ok(Self(galleries))
    }

    /// Every gallery, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = &Gallery> {
        self.0.values()
    }

    /// The gallery that a request means. No name is enough when there is only one.
    ///
    /// # Errors
    /// [`Error::UnknownGallery`] names those that are here; [`Error::Invalid`] when a name is missing.
    pub fn find(&self, name: Option<&str>) -> Result<&Gallery, Error> {
        let names = || self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let known = || {
            if self.0.is_empty() {
                "start the server with --gallery FILE".to_owned()
            } else {
                format!("here are: {}", names())
            }
        };
        match name {
            Some(name) => {
                self.0.get(name).ok_or_else(|| Error::UnknownGallery { name: name.to_owned(), known: known() })
            }
            None => match self.0.values().next() {
                Some(gallery) if self.0.len() == 1 => Ok(gallery),
                Some(_) => Err(Error::invalid("gallery", format!("gallery is missing; here are: {}", names()))),
                None => Err(Error::UnknownGallery { name: String::new(), known: known() }),
            },
        }
    }
}

#[cfg(test)]
impl Gallery {
    /// Vectors in memory, whose classes take turns.
    fn of(width: usize, values: Vec<f32>, classes: &[&str]) -> Self {
        let vectors = Vectors::held(crate::columns::Floats { width, values });
        let rows = vectors.rows();
        Self {
            name: "g".into(),
            ids: (0..rows).map(|row| row.to_string()).collect(),
            stamp: None,
            lengths: vectors.lengths(),
            vectors,
            labels: (0..rows).map(|row| (!classes.is_empty()).then(|| row % classes.len())).collect(),
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
            thumbnails: None,
            map: OnceLock::new(),
        }
    }
}
