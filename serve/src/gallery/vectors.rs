//! The numbers of a gallery: a mapped file, or one block of memory.

use crate::Error;
use crate::columns::Floats;
use crate::model::row::length;
use crate::npy;
use memmap2::Mmap;
use rayon::prelude::*;
use std::fs::File;
use std::path::Path;

/// Vectors of one width, one after the other.
pub struct Vectors {
    /// Numbers of a vector.
    pub width: usize,
    block: Block,
}

enum Block {
    Held(Vec<f32>),
    /// A mapped `.npy` file and where its numbers begin.
    Mapped(Mmap, usize),
}

impl Vectors {
    /// Vectors that are in memory.
    pub fn held(floats: Floats) -> Self {
        Self { width: floats.width, block: Block::Held(floats.values) }
    }

    /// The vectors of a `.npy` file, read when they are needed and let go when memory is short.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Gallery`] when the file holds no matrix of 32-bit floats.
    pub fn map(path: &Path) -> Result<Self, Error> {
        let wrong = |source| Error::Io { action: "map", path: path.to_owned(), source };
        let file = File::open(path).map_err(wrong)?;
        #[expect(
            unsafe_code,
            reason = "a mapped file must not be changed while it is served; README and --help say so"
        )]
        let map = unsafe { Mmap::map(&file) }.map_err(wrong)?;
        let refused = |reason: String| Error::Gallery { path: path.to_owned(), reason };
        let matrix = npy::find(&map).map_err(refused)?;
        if bytemuck::try_cast_slice::<u8, f32>(&map[matrix.offset..]).is_err() {
            return Err(refused(
                "does not begin its numbers at a multiple of 4 bytes; save it again with NumPy".into(),
            ));
        }
        Ok(Self { width: matrix.width, block: Block::Mapped(map, matrix.offset) })
    }

    /// Number of vectors.
    pub fn rows(&self) -> usize {
        self.values().len().checked_div(self.width).unwrap_or(0)
    }

    /// One vector.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values()[row * self.width..][..self.width]
    }

    /// All numbers.
    pub fn values(&self) -> &[f32] {
        match &self.block {
            Block::Held(values) => values,
            Block::Mapped(map, offset) => bytemuck::cast_slice(&map[*offset..]),
        }
    }

    /// Length of each vector.
    pub fn lengths(&self) -> Vec<f64> {
        self.values().par_chunks(self.width.max(1)).map(length).collect()
    }
}
