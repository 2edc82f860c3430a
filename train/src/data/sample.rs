//! One image before it is decoded: where its bytes are, and what it is called in errors.

use super::DataError;
use super::decode::{self, Shape};
use super::frame::Frame;
use super::store::Store;
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{BufReader, Cursor};
use std::path::Path;
use std::sync::Arc;

/// An image before it is decoded.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The file that it comes from.
    pub file: Arc<str>,
    pub origin: Origin,
    /// The class; 0 where the data set has no classes. Negative and too large ones are refused before they get far.
    pub label: i64,
}

/// Where the bytes of an image are.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// An image file of its own.
    File,
    /// An image file inside a larger one.
    Entry { store: Arc<Store>, offset: u64, len: usize, name: EntryName },
    /// Pixels as they are, channel by channel.
    Pixels { store: Arc<Store>, offset: u64, shape: Shape, index: usize },
}

/// What an image file inside a larger one is called.
#[derive(Clone, Debug)]
pub(crate) enum EntryName {
    /// By its own name.
    Name(Box<str>),
    /// By its row, from 0.
    Row(usize),
}

impl Sample {
    /// What errors call the image.
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::File => self.file.to_string(),
            Origin::Entry { name: EntryName::Name(name), .. } => format!("{}: {name}", self.file),
            Origin::Entry { name: EntryName::Row(index), .. } | Origin::Pixels { index, .. } => {
                format!("{}: image {index}", self.file)
            }
        }
    }

    /// The shape of the image, without decoding it where that is possible.
    pub fn shape(&self) -> Result<Shape, String> {
        match &self.origin {
            Origin::File => decode::shape(BufReader::new(File::open(&*self.file).map_err(text)?)),
            Origin::Entry { store, offset, len, .. } => {
                decode::shape(Cursor::new(store.read(*offset, *len).map_err(text)?))
            }
            Origin::Pixels { shape, .. } => Ok(*shape),
        }
    }

    /// The image as it is in the files.
    pub fn decode(&self) -> Result<DynamicImage, String> {
        match &self.origin {
            Origin::File => decode::decode(&fs::read(Path::new(&*self.file)).map_err(text)?),
            Origin::Entry { store, offset, len, .. } => decode::decode(&store.read(*offset, *len).map_err(text)?),
            Origin::Pixels { store, offset, shape, .. } => {
                interleaved(&store.read(*offset, shape.len()).map_err(text)?, *shape)
            }
        }
    }

    /// The image in the form of a data set.
    /// # Shapes
    /// Returns `[channels, height, width]`.
    pub fn load(&self, frame: &Frame) -> Result<Cow<'_, [u8]>, String> {
        match &self.origin {
            Origin::Pixels { store, offset, shape, .. } if frame.accepts(*shape) => {
                store.read(*offset, shape.len()).map_err(text)
            }
            _ => frame.fit(self.decode()?).map(Cow::Owned),
        }
    }

    /// Whether the bytes lie in memory in a form that needs no work.
    pub fn at_hand(&self, frame: &Frame) -> bool {
        match &self.origin {
            Origin::Pixels { store, shape, .. } => matches!(**store, Store::Memory(_)) && frame.accepts(*shape),
            _ => false,
        }
    }

    /// The error of an image that cannot be used.
    pub fn damaged(&self, reason: String) -> DataError {
        DataError::DamagedImage { file: self.name(), reason }
    }
}

impl Shape {
    /// Bytes of the pixels.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }
}

fn interleaved(planes: &[u8], shape: Shape) -> Result<DynamicImage, String> {
    let side = |side: usize| u32::try_from(side).map_err(text);
    let (width, height) = (side(shape.width)?, side(shape.height)?);
    let plane = shape.height * shape.width;
    let bytes = (0..plane).flat_map(|place| (0..shape.channels).map(move |channel| planes[channel * plane + place]));
    let bytes: Vec<u8> = bytes.collect();
    let image = match shape.channels {
        1 => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
        3 => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
        4 => RgbaImage::from_raw(width, height, bytes).map(DynamicImage::from),
        _ => None,
    };
    image.ok_or_else(|| format!("it has {} channels; known are 1, 3 and 4", shape.channels))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
