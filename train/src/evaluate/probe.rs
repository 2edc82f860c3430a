//! A linear probe: how well does a linear layer tell the classes from embeddings that stay as they are?

use super::outputs::Rows;
use crate::Error;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// λ of the penalty λ/2 |W|² on the weights, beside the mean cross-entropy.
pub const PENALTY: f64 = 1e-3;
/// Steps of the optimiser, at most.
pub const STEPS: usize = 1000;
/// Steps between two looks at the gradient.
const LOOK_EVERY: usize = 20;
/// Largest entry of the gradient at which the optimiser ends.
pub const TOLERANCE: f32 = 1e-5;

/// A linear layer on standardised embeddings: multinomial logistic regression.
pub(crate) struct Probe {
    standard: Standard,
    /// `[width + 1, classes]`; the last row is the bias.
    weights: Tensor<2>,
    /// The largest entry of the gradient where the optimiser ended.
    pub(crate) gradient: f32,
}

impl Probe {
    /// Trains on all rows in every step, by Nesterov's accelerated gradients that start again whenever they go uphill.
    ///
    /// The problem is convex: the result depends neither on a seed nor on a learning rate. It is computed on the CPU,
    /// as [`nearest`](super::nearest::nearest) is.
    ///
    /// # Source
    /// Beck and Teboulle 2009: FISTA; O'Donoghue and Candès 2015: gradient-based restarts.
    pub(crate) fn fit(rows: &Rows, labels: &[u32], classes: usize) -> Result<Self, Error> {
        let standard = Standard::of(rows);
        let problem = Problem::new(standard.apply(rows), labels, classes);
        let [width, _] = problem.penalty.dims();
        let mut weights: Tensor<2> = Tensor::zeros([width, classes], &problem.penalty.device());
        let (mut ahead, mut inertia) = (weights.clone(), 1.0f64);
        for step in 1..=STEPS {
            let gradient = problem.gradient(ahead.clone());
            let next = ahead - gradient.clone().mul_scalar(problem.rate);
            let moved = next.clone() - weights;
            let uphill = (gradient.clone() * moved.clone()).sum();
            if step % LOOK_EVERY == 0 && number(gradient.abs().max())? < TOLERANCE {
                weights = next;
                break;
            }
            let following = f64::midpoint(1.0, (4.0 * inertia * inertia + 1.0).sqrt());
            (ahead, inertia) = match number(uphill)? > 0.0 {
                true => (next.clone(), 1.0),
                false => (next.clone() + moved.mul_scalar((inertia - 1.0) / following), following),
            };
            weights = next;
        }
        let gradient = number(problem.gradient(weights.clone()).abs().max())?;
        Ok(Self { standard, weights, gradient })
    }

    /// The class of every row.
    pub(crate) fn classify(&self, rows: &Rows) -> Result<Vec<usize>, Error> {
        let found: Tensor<2, Int> = self.standard.apply(rows).matmul(self.weights.clone()).argmax(1);
        let found: Vec<i64> = found.try_into_vec_as().map_err(unreadable)?;
        Ok(found.into_iter().map(|class| class as usize).collect())
    }
}

/// What is minimised.
struct Problem {
    /// `[rows, width + 1]`
    inputs: Tensor<2>,
    /// One-hot, `[rows, classes]`
    answers: Tensor<2>,
    /// λ, but 0 for the bias: `[width + 1, 1]`
    penalty: Tensor<2>,
    /// One over a bound of the curvature.
    rate: f64,
}

impl Problem {
    fn new(inputs: Tensor<2>, labels: &[u32], classes: usize) -> Self {
        let (device, [rows, width]) = (inputs.device(), inputs.dims());
        let mut answers = vec![0.0f32; rows * classes];
        for (row, label) in labels.iter().enumerate() {
            if let Some(answer) = answers.get_mut(row * classes + *label as usize) {
                *answer = 1.0;
            }
        }
        let mut penalty = vec![PENALTY as f32; width];
        if let Some(bias) = penalty.last_mut() {
            *bias = 0.0;
        }
        let matrix = |values, shape: [usize; 2]| Tensor::from_data(TensorData::new(values, shape), &device);
        Self {
            rate: 1.0 / (0.5 * largest_eigenvalue(&inputs) + PENALTY),
            answers: matrix(answers, [rows, classes]),
            penalty: matrix(penalty, [width, 1]),
            inputs,
        }
    }

    /// The gradient of the mean cross-entropy and the penalty.
    ///
    /// # Shapes
    /// - `weights`: `[width + 1, classes]` → the same
    fn gradient(&self, weights: Tensor<2>) -> Tensor<2> {
        let [rows, _] = self.inputs.dims();
        let errors = softmax(self.inputs.clone().matmul(weights.clone()), 1) - self.answers.clone();
        self.inputs.clone().transpose().matmul(errors).div_scalar(rows.max(1) as f64) + weights * self.penalty.clone()
    }
}

/// A bound of the largest eigenvalue λ of XᵀX / n, at most width^(1/16) times too large: λ⁸ is at most the largest sum of a
/// row of the matrix to the power of eight.
fn largest_eigenvalue(inputs: &Tensor<2>) -> f64 {
    let [rows, width] = inputs.dims();
    let mut power = inputs.clone().transpose().matmul(inputs.clone()).div_scalar((rows * width).max(1) as f64);
    for _ in 0..3 {
        power = power.clone().matmul(power);
    }
    let bound = power.abs().sum_dim(1).max().into_scalar::<f32>();
    f64::from(bound).powf(1.0 / 8.0) * width as f64
}

/// Mean and scale of every column, as the training rows have them.
struct Standard {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl Standard {
    fn of(rows: &Rows) -> Self {
        let count = rows.len().max(1) as f64;
        let (mut mean, mut square) = (vec![0.0; rows.width], vec![0.0; rows.width]);
        for row in rows.iter() {
            for ((mean, square), value) in mean.iter_mut().zip(&mut square).zip(row) {
                *mean += f64::from(*value) / count;
                *square += f64::from(*value) * f64::from(*value) / count;
            }
        }
        // A column that never changes tells nothing, and stays zero.
        let scale = |(mean, square): (&f64, &f64)| match (square - mean * mean).max(0.0).sqrt() {
            std if std > 1e-6 * mean.abs().max(f64::MIN_POSITIVE) => 1.0 / std,
            _ => 0.0,
        };
        let scale = mean.iter().zip(&square).map(scale).collect();
        Self { mean, scale }
    }

    /// Standardised rows with a column of ones behind.
    fn apply(&self, rows: &Rows) -> Tensor<2> {
        let mut values = Vec::with_capacity(rows.len() * (rows.width + 1));
        for row in rows.iter() {
            let columns = row.iter().zip(&self.mean).zip(&self.scale);
            values.extend(columns.map(|((value, mean), scale)| ((f64::from(*value) - mean) * scale) as f32));
            values.push(1.0);
        }
        Tensor::from_data(TensorData::new(values, [rows.len(), rows.width + 1]), &Device::flex())
    }
}

fn number(tensor: Tensor<1>) -> Result<f32, Error> {
    let values: Vec<f32> = tensor.try_into_vec_as().map_err(unreadable)?;
    Ok(values.first().copied().unwrap_or(f32::NAN))
}

fn unreadable(error: impl std::fmt::Debug) -> Error {
    Error::Device { what: "numbers of a linear probe", reason: format!("{error:?}") }
}

#[cfg(test)]
mod tests;
