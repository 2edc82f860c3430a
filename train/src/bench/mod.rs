//! Training steps that are measured beside PyTorch's: the same network, batch, optimiser and threads, in turns in one run; and
//! the loading of their images.

pub mod loading;
pub mod parity;
mod peer;
mod step;

pub use crate::recipe::Precision;
pub use step::{CPU_SUBJECTS, GPU_SUBJECTS, Subject};

use crate::Error;
use burn::tensor::{Device, FloatDType};
use indicatif::{ProgressBar, ProgressStyle};
use peer::Peer;
use selfie_models::device;
use std::path::Path;
use step::Step;

/// Where steps are made, and with which numbers: all of them, those of the weights too.
pub struct Place {
    device: Device,
    name: String,
    precision: Precision,
}

impl Place {
    /// Opens a device by its name.
    ///
    /// # Errors
    /// [`Error::Model`] when there is no such device, or it has no such numbers.
    pub fn open(name: &str, precision: Precision) -> Result<Self, Error> {
        let device = match precision {
            Precision::F32 => device::open(name)?,
            Precision::Bf16 => device::open_in(name, FloatDType::BF16)?,
        };
        Ok(Self { device, name: name.to_owned(), precision })
    }

    /// What is measured there.
    pub fn subjects(&self) -> &'static [Subject] {
        if self.name == "cpu" { CPU_SUBJECTS } else { GPU_SUBJECTS }
    }

    /// The device of PyTorch that is the same hardware: it has no Vulkan and no wgpu, and reaches those GPUs by CUDA.
    pub fn torch_device(&self) -> String {
        let (kind, index) = self.name.split_once(':').unwrap_or((&self.name, ""));
        match (kind, index) {
            ("cpu", _) => "cpu".into(),
            ("metal", _) => "mps".into(),
            (_, "") => "cuda".into(),
            (_, index) => format!("cuda:{index}"),
        }
    }
}

/// Seconds of a step of one subject.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What was measured.
    pub subject: &'static Subject,
    /// Ours, step by step.
    pub ours: Vec<f64>,
    /// PyTorch's, step by step; empty without one.
    pub torch: Vec<f64>,
}

impl Measured {
    /// Images of the data set in a step.
    pub fn images(&self) -> usize {
        self.subject.images / self.subject.patches
    }
}

/// Steps on a GPU that do not count: kernels are compiled and chosen by measurement in the first ones.
const GPU_WARM_UP: usize = 5;

/// Measures every subject: a step of ours and one of PyTorch's in turn, `rounds` times after some that do not count.
///
/// `python` is a Python that can import torch; without one only our steps are measured.
///
/// # Errors
/// [`Error::Peer`] when Python or PyTorch fails.
pub fn run(place: &Place, python: Option<&Path>, rounds: usize) -> Result<Vec<Measured>, Error> {
    let mut peer = python.map(|python| Peer::start(python, place)).transpose()?;
    let subjects = place.subjects();
    let warm_up = if place.name == "cpu" { 1 } else { GPU_WARM_UP };
    let bar = ProgressBar::new((rounds * subjects.len()) as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} steps, {msg}, {eta} left") {
        bar.set_style(style);
    }
    let mut all = Vec::with_capacity(subjects.len());
    for subject in subjects {
        bar.set_message(subject.name);
        let mut step = Step::new(subject, place);
        let (mut ours, mut torch) = (Vec::new(), Vec::new());
        for round in 0..rounds + warm_up {
            let (own, other) = (step.run()?, peer.as_mut().map(|peer| peer.step(subject)).transpose()?);
            if round >= warm_up {
                ours.push(own);
                torch.extend(other);
                bar.inc(1);
            }
        }
        all.push(Measured { subject, ours, torch });
    }
    bar.finish_and_clear();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pytorch_gets_a_device_that_it_has() {
        let cases = [("cpu", "cpu"), ("metal", "mps"), ("metal:0", "mps"), ("cuda:1", "cuda:1"), ("vulkan", "cuda")];
        for (name, expected) in cases {
            let place = Place { device: Device::flex(), name: name.into(), precision: Precision::F32 };
            assert_eq!(place.torch_device(), expected, "{name}");
        }
    }
}
