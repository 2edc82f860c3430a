//! Windows of a feature map as the columns of a matrix, so that a convolution is a matrix product.

use super::grid::Grid;
use super::simd;
use crate::convolution::Window;
use std::ops::Range;

/// What happens to a number before the convolution: `relu(x * scale + shift)` with the channel's numbers.
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
        Grid { height: self.positions(grid.height), width: self.positions(grid.width), ..grid }
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
    let last = (source.len() + back).saturating_sub(start + forward).min(line.len());
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
            line[..(padding - right).min(width)].fill(0.0);
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
                *target = activation.map_or(value, |(scale, shift)| simd::relu(value * scale + shift));
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a window sees at a position, by definition; 0 outside of the image.
    fn seen(source: &[f32], grid: Grid, window: Window, [channel, tap, row, column]: [usize; 4]) -> f32 {
        let positions = window.over(grid);
        let (image, row) = (row / positions.height, row % positions.height);
        let y = (row * window.stride + tap / window.kernel).checked_sub(window.padding).filter(|y| *y < grid.height);
        let x = (column * window.stride + tap % window.kernel).checked_sub(window.padding).filter(|x| *x < grid.width);
        let at = |(y, x)| source[channel * grid.cells() + (image * grid.height + y) * grid.width + x];
        y.zip(x).map_or(0.0, at)
    }

    fn geometries() -> impl Strategy<Value = (Grid, Window)> {
        let window = (1usize..6, 1usize..4, 0usize..4).prop_map(|(kernel, stride, padding)| Window {
            kernel,
            stride,
            padding: padding.min(kernel - 1),
        });
        (window, 1usize..4, 0usize..5, 0usize..5).prop_map(|(window, images, down, right)| {
            let smallest = window.kernel.saturating_sub(2 * window.padding).max(1);
            (Grid { groups: 1, images, height: smallest + down, width: smallest + right }, window)
        })
    }

    proptest! {
        #[test]
        fn columns_hold_what_the_windows_see_and_go_back_to_where_it_came_from(
            (grid, window) in geometries(),
            cut in 0.0f64..1.0,
            length in 0.0f64..1.0,
            is_activated: bool,
        ) {
            let positions = window.over(grid);
            let start = ((positions.rows() - 1) as f64 * cut) as usize;
            let end = start + 1 + ((positions.rows() - start - 1) as f64 * length) as usize;
            let source: Vec<f32> = (0..2 * grid.cells()).map(|index| index as f32 - 20.0).collect();
            let (scale, shift) = ([2.0, -1.0], [1.0, 3.0]);
            let activation = is_activated.then_some(Activation { scale: &scale, shift: &shift });
            let taps = window.kernel * window.kernel;
            let count = (end - start) * positions.width;
            // What was in the buffer before must not show.
            let mut columns = vec![f32::NAN; 2 * taps * count];
            gather(&mut columns, &source, grid, window, start..end, activation);
            let ones: Vec<f32> = vec![1.0; source.len()];
            let mut back = vec![0.0; source.len()];
            for (index, found) in columns.iter().enumerate() {
                let (line, position) = (index / count, index % count);
                let place = [line / taps, line % taps, start + position / positions.width, position % positions.width];
                let is_inside = seen(&ones, grid, window, place) > 0.0;
                let value = seen(&source, grid, window, place);
                let channel = place[0];
                let wanted = match is_activated && is_inside {
                    true => (value * scale[channel] + shift[channel]).max(0.0),
                    false => value,
                };
                prop_assert_eq!(*found, wanted, "{:?} {:?} at {:?}", grid, window, place);
                if is_inside {
                    // The value is the index, moved by 20.
                    back[(value + 20.0) as usize] += 1.0;
                }
            }
            let mut scattered = vec![0.0; source.len()];
            scatter(&mut scattered, &vec![1.0; columns.len()], grid, window, start..end);
            prop_assert_eq!(scattered, back);
        }
    }
}
