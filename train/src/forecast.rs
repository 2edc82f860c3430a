//! What a run would do and take, found out by a few steps that leave nothing behind.

use crate::engine::Task;
use crate::layers::trained_numbers;
use crate::recipe::Precision;
use crate::schedule::Schedule;
use crate::session::Prepared;
use crate::trial::Trial;
use crate::{Error, Recipe, Stage};
use burn::module::Module;
use selfie_models::cost::multiply_adds;
use selfie_models::device::names;
use std::time::Instant;

/// Steps that are measured, after one that does not count.
const MEASURED: u64 = 4;
/// A training step costs about three times as much as going forward: the gradients of the inputs and of the weights each cost
/// as much again.
const PASSES: u64 = 3;
/// Bytes of a number.
const NUMBER: u64 = 4;

/// What a run would do and take.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Pretraining or fine-tuning.
    pub stage: Stage,
    /// Numbers of the network, statistics included.
    pub parameters: usize,
    /// Those of them that training changes.
    pub trained: usize,
    /// Training images.
    pub images: usize,
    /// Images by which the best step is found.
    pub validation_images: usize,
    /// Test images.
    pub test_images: usize,
    /// Steps of the run.
    pub steps: u64,
    /// Images of a step.
    pub batch_size: usize,
    /// Devices that share a batch, by name.
    pub devices: Vec<String>,
    /// Images that go through a device at once.
    pub part_size: usize,
    /// Numbers of activations and gradients.
    pub precision: Precision,
    /// Floating-point operations of a step: two for every multiplication with its addition.
    pub step_flops: u64,
    /// Weights, their gradients, momentum and average; and weights and gradients of the copies that devices compute with, where
    /// there are several or fewer bits.
    /// # Units
    /// Bytes.
    pub state_bytes: u64,
    /// The most memory that this process has held so far, the data set and the measured steps included; known on Linux.
    /// # Units
    /// Bytes.
    pub peak_bytes: Option<u64>,
    /// Median of the measured steps.
    pub step_seconds: f64,
}

impl Forecast {
    /// Times that every training image is seen.
    pub fn epochs(&self) -> f64 {
        self.steps as f64 * self.batch_size as f64 / self.images.max(1) as f64
    }

    /// Seconds of all steps; evaluations and checkpoints come on top.
    pub fn seconds(&self) -> f64 {
        self.step_seconds * self.steps as f64
    }
}

/// Measures a few steps of a run.
pub(crate) fn of<T: Task>(prepared: &Prepared<'_, T>) -> Result<Forecast, Error> {
    let Prepared { session, network, config, indices, validation, .. } = prepared;
    let Recipe { lr, warmup_steps, steps, batch_size, ema_decay, precision, .. } = session.recipe;
    let schedule = Schedule { peak: lr, warmup_steps, steps };
    let mut trial = Trial::new(prepared, MEASURED + 1)?;
    let mut seconds = Vec::new();
    for step in 0.. {
        let started = Instant::now();
        if trial.step(schedule.learning_rate(step))?.is_none() {
            break;
        }
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    let (parameters, trained) = (network.num_params(), trained_numbers(network, &session.recipe.freeze));
    let averages = u64::from(ema_decay > 0.0);
    let devices: Vec<String> = names(&session.options.device).map(str::to_owned).collect();
    let copies = if devices.len() > 1 || precision != Precision::F32 { devices.len() as u64 } else { 0 };
    Ok(Forecast {
        stage: session.recipe.stage,
        parameters,
        trained,
        images: indices.len(),
        validation_images: validation.as_ref().map_or(0, crate::data::Split::len),
        test_images: session.dataset.test.len(),
        steps,
        batch_size,
        part_size: batch_size / session.recipe.parts(devices.len()),
        devices,
        precision,
        step_flops: 2 * PASSES * multiply_adds(config) * batch_size as u64,
        state_bytes: NUMBER * ((1 + averages) * parameters as u64 + 2 * trained as u64)
            + copies * precision.bytes() * (parameters + trained) as u64,
        peak_bytes: peak_bytes(),
        step_seconds: seconds[seconds.len() / 2],
    })
}

/// The high-water mark of this process's resident memory.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes: u64 =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()?;
    Some(1024 * kibibytes)
}
