//! Convolution and batch normalisation by tensor operations.

use crate::convolution::Window;
use burn::nn::BatchNorm;
use burn::tensor::Tensor;

/// Pieces of a sum over a batch, at most: a GPU has some hundred processors.
const PIECES: usize = 64;

/// Fewest rows of a piece: less work than that costs more to collect than it gains.
const ROWS: usize = 256;

/// A convolution as a matrix product.
///
/// # Shapes
/// - `x`: `[batch, height, width, inputs]` → `[batch, rows, columns, outputs]`
/// - `weight`: `[outputs, inputs, kernel, kernel]`
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, window: Window) -> Tensor<4> {
    let outputs = weight.dims()[0];
    let columns = columns(x, window);
    let [batch, height, width, length] = columns.dims();
    let weight: Tensor<3> = weight.permute([2, 3, 1, 0]).reshape([1, length, outputs]);
    in_pieces(columns).matmul(weight).reshape([batch, height, width, outputs])
}

/// The cells that each output of a convolution sees, one after the other: rows and columns of the kernel, then channels.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]` → `[batch, rows, columns, kernel * kernel * channels]`
pub fn columns(x: Tensor<4>, Window { kernel, stride, padding }: Window) -> Tensor<4> {
    if kernel == 1 && stride == 1 && padding == 0 {
        return x;
    }
    let x = if padding == 0 { x } else { x.pad([(0, 0), (padding, padding), (padding, padding), (0, 0)], 0.0) };
    let rows: Tensor<5> = x.unfold(1, kernel, stride);
    let cells: Tensor<6> = rows.unfold(2, kernel, stride);
    let [batch, height, width, channels, ..] = cells.dims();
    cells.permute([0, 1, 2, 4, 5, 3]).reshape([batch, height, width, kernel * kernel * channels])
}

/// The rows of a feature map in equal pieces, for products whose sums go over the rows.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]` → `[pieces, rows, channels]`
pub fn in_pieces(x: Tensor<4>) -> Tensor<3> {
    let [batch, height, width, channels] = x.dims();
    let rows = batch * height * width;
    let pieces = pieces(rows);
    x.reshape([pieces, rows / pieces, channels])
}

/// The sum over all but the channels, in three steps of which none is long.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]` → `[1, 1, 1, channels]`
pub fn sum_of_channels(x: Tensor<4>) -> Tensor<4> {
    let [batch, height, width, channels] = x.dims();
    let rows = batch * height * width;
    let outer = pieces(rows);
    let inner = pieces(rows / outer);
    let x: Tensor<4> = x.reshape([outer, rows / outer / inner, inner, channels]);
    x.sum_dim(0).sum_dim(1).sum_dim(2)
}

/// Batch normalisation by the statistics that a layer has learned.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]`, the output has the same
pub fn normalise(x: Tensor<4>, norm: &BatchNorm) -> Tensor<4> {
    let (channels, device) = (x.dims()[3], x.device());
    let line = |tensor: Tensor<1>| -> Tensor<4> { tensor.to_device(&device).reshape([1, 1, 1, channels]) };
    let deviation = line(norm.running_var.value()).add_scalar(norm.epsilon).sqrt();
    let factor = line(norm.gamma.val()) / deviation;
    (x - line(norm.running_mean.value())) * factor + line(norm.beta.val())
}

/// Into how many equal pieces so many rows are cut: a power of two.
fn pieces(rows: usize) -> usize {
    let most = (rows / ROWS).clamp(1, PIECES);
    let mut pieces = 1;
    while pieces * 2 <= most && rows.is_multiple_of(pieces * 2) {
        pieces *= 2;
    }
    pieces
}
