//! Windows of a feature map as the columns of a matrix, so that a convolution is a matrix product.

use super::grid::Grid;
use super::simd;
use std::ops::Range;

/// How a square window moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the window.
    pub kernel: usize,
    /// Pixels from one position to the next.
    pub stride: usize,
    /// Pixels of zero around the image.
    pub padding: usize,
}

/// What happens to a number before the convolution: `max(x * scale + shift, 0)` with the channel's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Activation<'a> {
    /// Factor of each channel.
    pub scale: &'a [f32],
    /// Summand of each channel.
    pub shift: &'a [f32],
}

impl Window {
    /// Positions of the window.
    pub fn over(&self, grid: Grid) -> Grid {
        let side = |length: usize| (length + 2 * self.padding - self.kernel) / self.stride + 1;
        Grid { height: side(grid.height), width: side(grid.width), ..grid }
    }

    /// Whether every pixel is the centre of one window.
    pub fn is_centred(&self) -> bool {
        self.stride == 1 && self.kernel == 2 * self.padding + 1
    }
}

/// Copies the windows at the positions of `rows` into `columns`, `[channels * kernel * kernel, rows * width]`.
///
/// `source` is one group, `[channels, cells]`.
pub fn gather(
    columns: &mut [f32],
    source: &[f32],
    grid: Grid,
    window: Window,
    rows: Range<usize>,
    activation: Option<Activation<'_>>,
) {
    let positions = window.over(grid);
    let count = rows.len() * positions.width;
    let taps = window.kernel * window.kernel;
    for (channel, (source, columns)) in
        source.chunks_exact(grid.cells()).zip(columns.chunks_exact_mut(taps * count)).enumerate()
    {
        let activation = activation.map(|Activation { scale, shift }| (scale[channel], shift[channel]));
        for (tap, line) in columns.chunks_exact_mut(count).enumerate() {
            let (down, right) = (tap / window.kernel, tap % window.kernel);
            if window.is_centred() {
                shifted(line, source, grid, [down, right], window.padding, rows.clone(), activation);
            } else {
                strided(line, source, grid, [down, right], window, rows.clone(), activation);
            }
        }
    }
}

/// One line of windows that move pixel by pixel: the image itself, shifted, with zeros where the shift leaves it.
fn shifted(
    line: &mut [f32],
    source: &[f32],
    grid: Grid,
    [down, right]: [usize; 2],
    padding: usize,
    rows: Range<usize>,
    activation: Option<(f32, f32)>,
) {
    let Grid { height, width, .. } = grid;
    // Line position `i` takes `source[i + start + forward - back]`.
    let (start, forward, back) = (rows.start * width, down * width + right, padding * width + padding);
    let first = back.saturating_sub(start + forward);
    let last = (source.len() + back - start - forward).min(line.len());
    if first < last {
        let from = first + start + forward - back;
        let (target, source) = (&mut line[first..last], &source[from..from + last - first]);
        match activation {
            Some((scale, shift)) => simd::scale_relu(target, source, scale, shift),
            None => target.copy_from_slice(source),
        }
    }
    for (row, line) in rows.zip(line.chunks_exact_mut(width)) {
        let y = row % height + down;
        if y < padding || y - padding >= height {
            line.fill(0.0);
        } else if right < padding {
            line[..padding - right].fill(0.0);
        } else {
            line[width - (right - padding).min(width)..].fill(0.0);
        }
    }
}

/// One line of windows that move by more than a pixel.
fn strided(
    line: &mut [f32],
    source: &[f32],
    grid: Grid,
    [down, right]: [usize; 2],
    window: Window,
    rows: Range<usize>,
    activation: Option<(f32, f32)>,
) {
    let positions = window.over(grid);
    for (row, line) in rows.zip(line.chunks_exact_mut(positions.width)) {
        let (image, y) = (row / positions.height, row % positions.height * window.stride + down);
        line.fill(0.0);
        if y < window.padding || y - window.padding >= grid.height {
            continue;
        }
        let source = &source[(image * grid.height + y - window.padding) * grid.width..][..grid.width];
        for (position, target) in line.iter_mut().enumerate() {
            let x = position * window.stride + right;
            if x >= window.padding && x - window.padding < grid.width {
                let value = source[x - window.padding];
                *target = activation.map_or(value, |(scale, shift)| (value * scale + shift).max(0.0));
            }
        }
    }
}

/// Adds columns back to where [`gather`] took them from.
pub fn scatter(target: &mut [f32], columns: &[f32], grid: Grid, window: Window, rows: Range<usize>) {
    let positions = window.over(grid);
    let count = rows.len() * positions.width;
    let taps = window.kernel * window.kernel;
    for (target, columns) in target.chunks_exact_mut(grid.cells()).zip(columns.chunks_exact(taps * count)) {
        for (tap, line) in columns.chunks_exact(count).enumerate() {
            let (down, right) = (tap / window.kernel, tap % window.kernel);
            for (row, line) in rows.clone().zip(line.chunks_exact(positions.width)) {
                let (image, y) = (row / positions.height, row % positions.height * window.stride + down);
                if y < window.padding || y - window.padding >= grid.height {
                    continue;
                }
                let target = &mut target[(image * grid.height + y - window.padding) * grid.width..][..grid.width];
                for (position, value) in line.iter().enumerate() {
                    let x = position * window.stride + right;
                    if x >= window.padding && x - window.padding < grid.width {
                        target[x - window.padding] += value;
                    }
                }
            }
        }
    }
}
