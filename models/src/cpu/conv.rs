//! Convolution of a normalised, rectified feature map, and its gradients.

use super::columns::{gather, scatter};
use super::grid::Grid;
use super::norm::{NormGradients, Statistics, Sums, finish, gate};
use super::product::{Matrix, multiply};
use crate::convolution::Window;
use rayon::prelude::*;
use std::ops::Range;

/// Numbers of the columns that are in work at once: half of a usual second-level cache.
const TILE: usize = 128 * 1024;

/// Fewest columns of a tile; a product of fewer is mostly overhead.
const FEWEST: usize = 64;

/// Most parts of a batch, each of which sums up a gradient of the weight of its own. It is the same on every machine, and so are
/// the sums.
const PARTS: usize = 16;

/// Numbers that one processor sums up at a time.
const SUMMED: usize = 16 * 1024;

/// A convolution without bias.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Its window.
    pub window: Window,
}

/// Gradients of a convolution.
#[derive(Debug)]
pub struct Gradients {
    /// Of the input.
    pub x: Option<Vec<f32>>,
    /// Of the weight.
    pub weight: Vec<f32>,
    /// Of the normalisation, if there is one.
    pub norm: Option<NormGradients>,
}

impl Convolution {
    fn taps(&self) -> usize {
        self.window.kernel * self.window.kernel
    }

    /// The output, `[groups, outputs, images * rows, columns]`. With statistics the input is normalised and rectified first.
    pub fn forward(&self, x: &[f32], grid: Grid, weight: &[f32], statistics: Option<&Statistics>) -> Vec<f32> {
        let positions = self.window.over(grid);
        let cells = positions.cells();
        let depth = self.inputs * self.taps();
        let mut y = vec![0.0; positions.groups * self.outputs * cells];
        let groups = y.par_chunks_exact_mut(self.outputs * cells).zip(x.par_chunks_exact(self.inputs * grid.cells()));
        groups.for_each_init(Vec::new, |columns, (y, x)| {
            for rows in tiles(positions, depth) {
                let count = rows.len() * positions.width;
                let columns = room(columns, depth * count);
                gather(columns, x, grid, self.window, rows.clone(), statistics.map(Statistics::activation));
                let target = &mut y[rows.start * positions.width..];
                multiply(
                    target,
                    cells,
                    false,
                    Matrix::new(weight, self.outputs, depth, depth),
                    Matrix::new(columns, depth, count, count),
                );
            }
        });
        y
    }

    /// The gradients, given that of the output.
    pub fn backward(
        &self,
        x: &[f32],
        grid: Grid,
        weight: &[f32],
        statistics: Option<&Statistics>,
        gradient: &[f32],
        with_x: bool,
    ) -> Gradients {
        match (with_x, self.window.is_centred()) {
            (true, true) => self.backward_centred(x, grid, weight, statistics, gradient),
            _ => self.backward_any(x, grid, weight, statistics, gradient, with_x),
        }
    }

    /// The gradient of the input is itself a convolution with the weight turned around; its columns serve that of the weight too.
    fn backward_centred(
        &self,
        x: &[f32],
        grid: Grid,
        weight: &[f32],
        statistics: Option<&Statistics>,
        gradient: &[f32],
    ) -> Gradients {
        let cells = grid.cells();
        let depth = self.outputs * self.taps();
        let turned = self.turned(weight);
        let mut dx = vec![0.0; x.len()];
        let parts = grid.groups.div_ceil(PARTS).max(1);
        let (size, size_out) = (self.inputs * cells, self.outputs * cells);
        let work =
            dx.par_chunks_mut(parts * size).zip(x.par_chunks(parts * size)).zip(gradient.par_chunks(parts * size_out));
        let results: Vec<(Vec<f32>, Vec<Sums>)> = work
            .map(|((dx, x), gradient)| {
                let mut dw = vec![0.0; self.inputs * depth];
                let mut sums = Vec::new();
                let (mut columns, mut inputs) = (Vec::new(), Vec::new());
                for ((dx, x), gradient) in
                    dx.chunks_exact_mut(size).zip(x.chunks_exact(size)).zip(gradient.chunks_exact(size_out))
                {
                    for rows in tiles(grid, depth) {
                        let count = rows.len() * grid.width;
                        let columns = room(&mut columns, depth * count);
                        gather(columns, gradient, grid, self.window, rows.clone(), None);
                        let inputs = room(&mut inputs, self.inputs * count);
                        let point = Window { kernel: 1, stride: 1, padding: 0 };
                        gather(inputs, x, grid, point, rows.clone(), statistics.map(Statistics::activation));
                        let columns = Matrix::new(columns, depth, count, count);
                        multiply(
                            &mut dx[rows.start * grid.width..],
                            cells,
                            false,
                            Matrix::new(&turned, self.inputs, depth, depth),
                            columns,
                        );
                        multiply(
                            &mut dw,
                            depth,
                            true,
                            Matrix::new(inputs, self.inputs, count, count),
                            columns.transposed(),
                        );
                    }
                    if let Some(statistics) = statistics {
                        sums.push(gate(dx, x, cells, statistics, true));
                    }
                }
                (dw, sums)
            })
            .collect();
        let (weights, sums): (Vec<Vec<f32>>, Vec<Vec<Sums>>) = results.into_iter().unzip();
        let weight = self.turned_back(&total(weights));
        let sums = sums.concat();
        let norm = statistics.map(|statistics| finish(&mut dx, x, grid, statistics, &sums));
        Gradients { x: Some(dx), weight, norm }
    }

    fn backward_any(
        &self,
        x: &[f32],
        grid: Grid,
        weight: &[f32],
        statistics: Option<&Statistics>,
        gradient: &[f32],
        with_x: bool,
    ) -> Gradients {
        let positions = self.window.over(grid);
        let (cells, cells_out) = (grid.cells(), positions.cells());
        let depth = self.inputs * self.taps();
        let mut dx = vec![0.0; if with_x { x.len() } else { 0 }];
        let parts = grid.groups.div_ceil(PARTS).max(1);
        let (size, size_out) = (self.inputs * cells, self.outputs * cells_out);
        // Without a gradient of the input every part gets an empty slice of it.
        let mut slices: Vec<&mut [f32]> = if with_x { dx.chunks_mut(parts * size).collect() } else { Vec::new() };
        slices.resize_with(grid.groups.div_ceil(parts), Default::default);
        let work = slices.into_par_iter().zip(x.par_chunks(parts * size)).zip(gradient.par_chunks(parts * size_out));
        let results: Vec<(Vec<f32>, Vec<Sums>)> = work
            .map(|((dx, x), gradient)| {
                let mut dw = vec![0.0; self.outputs * depth];
                let mut sums = Vec::new();
                let (mut columns, mut backs) = (Vec::new(), Vec::new());
                for (group, (x, gradient)) in x.chunks_exact(size).zip(gradient.chunks_exact(size_out)).enumerate() {
                    for rows in tiles(positions, depth) {
                        let count = rows.len() * positions.width;
                        let columns = room(&mut columns, depth * count);
                        gather(columns, x, grid, self.window, rows.clone(), statistics.map(Statistics::activation));
                        let dy = Matrix::new(&gradient[rows.start * positions.width..], self.outputs, count, cells_out);
                        multiply(&mut dw, depth, true, dy, Matrix::new(columns, depth, count, count).transposed());
                        if with_x {
                            let backs = room(&mut backs, depth * count);
                            multiply(
                                backs,
                                count,
                                false,
                                Matrix::new(weight, self.outputs, depth, depth).transposed(),
                                dy,
                            );
                            scatter(&mut dx[group * size..][..size], backs, grid, self.window, rows);
                        }
                    }
                    if let (true, Some(statistics)) = (with_x, statistics) {
                        sums.push(gate(&mut dx[group * size..][..size], x, cells, statistics, true));
                    }
                }
                (dw, sums)
            })
            .collect();
        let (weights, sums): (Vec<Vec<f32>>, Vec<Vec<Sums>>) = results.into_iter().unzip();
        let sums = sums.concat();
        let norm = statistics.filter(|_| with_x).map(|statistics| finish(&mut dx, x, grid, statistics, &sums));
        Gradients { x: with_x.then_some(dx), weight: total(weights), norm }
    }

    /// The weight of the convolution that leads back: `[inputs, outputs, taps]`, the taps from the last to the first.
    fn turned(&self, weight: &[f32]) -> Vec<f32> {
        let taps = self.taps();
        let mut turned = vec![0.0; weight.len()];
        for (output, weight) in weight.chunks_exact(self.inputs * taps).enumerate() {
            for (input, weight) in weight.chunks_exact(taps).enumerate() {
                let target = &mut turned[(input * self.outputs + output) * taps..][..taps];
                target.iter_mut().zip(weight.iter().rev()).for_each(|(target, weight)| *target = *weight);
            }
        }
        turned
    }

    fn turned_back(&self, turned: &[f32]) -> Vec<f32> {
        let other = Self { inputs: self.outputs, outputs: self.inputs, window: self.window };
        other.turned(turned)
    }
}

/// Rows of each tile of a group.
fn tiles(positions: Grid, depth: usize) -> impl Iterator<Item = Range<usize>> {
    let columns = (TILE / depth).max(FEWEST);
    let step = (columns / positions.width).max(1);
    let rows = positions.rows();
    (0..rows).step_by(step).map(move |start| start..(start + step).min(rows))
}

/// The first `len` numbers of a buffer that grows when it must.
fn room(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    }
    &mut buffer[..len]
}

/// The sum of the parts, in their order, on all processors.
fn total(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_default();
    let parts: Vec<Vec<f32>> = parts.collect();
    total.par_chunks_mut(SUMMED).enumerate().for_each(|(chunk, total)| {
        for part in &parts {
            total.iter_mut().zip(&part[chunk * SUMMED..]).for_each(|(total, part)| *total += part);
        }
    });
    total
}
