//! Two Swin blocks: attention within windows, then within windows that are shifted around the edge.
//!
//! # Source
//! Liu et al. 2021, Swin transformer, section 3.2.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, Tensor, TensorData};

use crate::network::{BATCHES, Network};

const SIDE: usize = 8;
const WINDOW: usize = 4;
const WIDTH: usize = 16;
const HEADS: usize = 2;
/// Places in a window, and windows in an image.
const PLACES: usize = WINDOW * WINDOW;
const WINDOWS: usize = (SIDE / WINDOW) * (SIDE / WINDOW);

#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    qkv: Linear,
    bias: Param<Tensor<3>>,
    project: Linear,
    norm2: LayerNorm,
    widen: Linear,
    narrow: Linear,
    /// `[1, windows, 1, places, places]`, where the windows are shifted.
    mask: Option<Tensor<5>>,
}

impl Block {
    fn new(shifted: bool, device: &Device) -> Self {
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        let norm = || LayerNormConfig::new(WIDTH).init(device);
        Self {
            norm1: norm(),
            qkv: linear(WIDTH, 3 * WIDTH),
            bias: Param::from_tensor(Tensor::zeros([HEADS, PLACES, PLACES], device)),
            project: linear(WIDTH, WIDTH),
            norm2: norm(),
            widen: linear(WIDTH, 2 * WIDTH),
            narrow: linear(2 * WIDTH, WIDTH),
            mask: shifted.then(|| mask(device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shift = (WINDOW / 2) as i64;
        let y = self.norm1.forward(x.clone());
        let y = if self.mask.is_some() { y.roll(&[-shift, -shift], &[1, 2]) } else { y };
        let y = joined(self.attention(windows(y)));
        let y = if self.mask.is_some() { y.roll(&[shift, shift], &[1, 2]) } else { y };
        let x = x + y;
        let y = self.narrow.forward(gelu(self.widen.forward(self.norm2.forward(x.clone()))));
        x + y
    }

    /// Attention within each window.
    /// # Shapes
    /// - `[batch * windows, places, width]` → the same
    fn attention(&self, x: Tensor<3>) -> Tensor<3> {
        let [windows, ..] = x.dims();
        let qkv = self.qkv.forward(x).reshape([windows, PLACES, 3, HEADS, WIDTH / HEADS]).permute([2, 0, 3, 1, 4]);
        let part = |index: usize| qkv.clone().narrow(0, index, 1).squeeze_dim::<4>(0);
        let scale = (WIDTH as f32 / HEADS as f32).sqrt().recip();
        let scores = (part(0) * scale).matmul(part(1).transpose()) + self.bias.val().unsqueeze();
        let scores = match &self.mask {
            Some(mask) => {
                let scores = scores.reshape([windows / WINDOWS, WINDOWS, HEADS, PLACES, PLACES]) + mask.clone();
                scores.reshape([windows, HEADS, PLACES, PLACES])
            }
            None => scores,
        };
        let mixed = softmax(scores, 3).matmul(part(2)).swap_dims(1, 2).reshape([windows, PLACES, WIDTH]);
        self.project.forward(mixed)
    }
}

/// `[batch, side, side, width]` → `[batch * windows, places, width]`.
fn windows(x: Tensor<4>) -> Tensor<3> {
    let [batch, ..] = x.dims();
    let grid = SIDE / WINDOW;
    let x = x.reshape([batch, grid, WINDOW, grid, WINDOW, WIDTH]).permute([0, 1, 3, 2, 4, 5]);
    x.reshape([batch * WINDOWS, PLACES, WIDTH])
}

/// The way back.
fn joined(x: Tensor<3>) -> Tensor<4> {
    let batch = x.dims()[0] / WINDOWS;
    let grid = SIDE / WINDOW;
    let x = x.reshape([batch, grid, grid, WINDOW, WINDOW, WIDTH]).permute([0, 1, 3, 2, 4, 5]);
    x.reshape([batch, SIDE, SIDE, WIDTH])
}

/// Keeps places apart that only the shift has brought into one window.
fn mask(device: &Device) -> Tensor<5> {
    let part = |at: usize| usize::from(at >= SIDE - WINDOW) + usize::from(at >= SIDE - WINDOW / 2);
    let region = |window: usize, place: usize| {
        let grid = SIDE / WINDOW;
        let row = window / grid * WINDOW + place / WINDOW;
        let column = window % grid * WINDOW + place % WINDOW;
        (part(row), part(column))
    };
    let mut numbers = Vec::with_capacity(WINDOWS * PLACES * PLACES);
    for window in 0..WINDOWS {
        for index in 0..PLACES * PLACES {
            let apart = region(window, index / PLACES) != region(window, index % PLACES);
            numbers.push(if apart { -100.0f32 } else { 0.0 });
        }
    }
    Tensor::from_data(TensorData::new(numbers, [1, WINDOWS, 1, PLACES, PLACES]), device)
}

pub fn swin() -> Network {
    let device = Device::flex();
    let module = vec![Block::new(false, &device), Block::new(true, &device)];
    let example = Tensor::<4>::zeros([2, SIDE, SIDE, WIDTH], &device);
    Network::new(
        "Swin blocks",
        module,
        |blocks: &Vec<Block>, x: Tensor<4>| blocks.iter().fold(x, |x, block| block.forward(x)),
        move |export| export.input("features", example.clone(), [(0, "batch")]).outputs(["mixed"]),
        BATCHES,
    )
}
