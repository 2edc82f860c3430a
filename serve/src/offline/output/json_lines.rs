//! JSON lines: an object for each image.

use super::{Head, Output, io};
use crate::Error;
use crate::offline::record::{Answer, Blob, Class, Record};
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

struct JsonLines {
    path: PathBuf,
    file: BufWriter<File>,
}

#[derive(Serialize)]
struct Line {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(flatten)]
    answer: Plain,
    /// In base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<Blob>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Plain {
    Vector { vector: Vec<f32> },
    Classes { class: Option<String>, probability: Option<f32>, top: Vec<Class> },
}

/// Opens an output.
pub fn open(path: &Path, _: &Head<'_>) -> Result<Box<dyn Output>, Error> {
    let file = BufWriter::new(File::create(path).map_err(io(path))?);
    Ok(Box::new(JsonLines { path: path.to_owned(), file }))
}

impl Output for JsonLines {
    fn push(&mut self, record: Record) -> Result<(), Error> {
        let Record { id, label, answer, thumbnail } = record;
        let answer = match answer {
            Answer::Vector(vector) => Plain::Vector { vector: vector.floats() },
            Answer::Classes(top) => {
                let first = top.first();
                let class = first.map(|first| first.class.clone());
                Plain::Classes { class, probability: first.map(|first| first.probability), top }
            }
            Answer::Damaged(_) => return Ok(()),
        };
        let line = Line { id, label, answer, thumbnail };
        serde_json::to_writer(&mut self.file, &line).map_err(|error| io(&self.path)(error.into()))?;
        self.file.write_all(b"\n").map_err(io(&self.path))
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).map_err(io(&self.path))?;
        Ok(Vec::new())
    }
}
