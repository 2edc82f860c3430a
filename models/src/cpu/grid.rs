//! How the images of a batch lie in memory while a network trains on the CPU: in groups, and in a group each channel holds all of
//! the group's images one below the other, `[groups, channels, images * height, width]`.
//!
//! With one image a group it is the usual order. With more, the matrix products stay wide where the images are small.

/// Images of a batch in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Groups of the batch.
    pub groups: usize,
    /// Images of a group.
    pub images: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
}

impl Grid {
    /// Pixels that a channel of a group holds.
    pub fn cells(&self) -> usize {
        self.images * self.height * self.width
    }

    /// Rows that a channel of a group holds.
    pub fn rows(&self) -> usize {
        self.images * self.height
    }
}
