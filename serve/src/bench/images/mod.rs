//! JPEG bytes to a vector on one core: ours, Pillow and OpenCV, in turn in one run.
//!
//! Everybody decodes the same photographs, resizes them to a square, and gives them one by one to the same model in ONNX Runtime
//! on one thread, which does no more than average the channels.

mod steps;

use super::{latency, peer, photograph, pooling};
use crate::model::{OpenOptions, open};
use crate::preprocess::Reading;
use crate::runtime;
use crate::{Error, Model};
use serde::Serialize;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;
use steps::Steps;

/// Sides of the models' inputs in pixels.
pub const SIDES: [usize; 2] = [224, 32];
const PHOTOGRAPHS: u64 = 16;
/// Largest difference between the mean colours that two libraries find: OpenCV averages areas, the others use a triangle.
const TOLERANCE: f32 = 0.02;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Pythons with numpy, onnxruntime, and Pillow or OpenCV or both.
    pub pythons: Vec<PathBuf>,
    /// The runtime of ours.
    pub runtime: runtime::Options,
    /// Width and height of the photographs.
    pub image: (u32, u32),
    /// Times that everybody goes through all photographs.
    pub rounds: usize,
}

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The runtime of ours.
    pub runtime: &'static str,
    /// Bytes of a JPEG on average.
    pub mean_bytes: usize,
    /// Everybody at every size, ours first.
    pub measured: Vec<Measured>,
    /// Libraries that were not measured, and why.
    pub skipped: Vec<String>,
}

/// One library at one size.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Name and version.
    pub name: String,
    /// Side of the model's input in pixels.
    pub side: usize,
    /// Images a second, round by round.
    pub rounds: Vec<f64>,
}

impl Measured {
    /// Images a second: the median of the rounds.
    pub fn per_second(&self) -> f64 {
        latency::median(&self.rounds)
    }
}

/// Measures.
///
/// # Errors
/// The runtime is missing, or a library finds other vectors than ours. A library that is missing is left out, with its reason.
pub fn run(options: &Options) -> Result<Report, Error> {
    let failed = |error: std::io::Error| Error::bench("the photographs", error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    let photographs = photograph::photographs(PHOTOGRAPHS, options.image.0, options.image.1)?;
    for (index, jpeg) in photographs.iter().enumerate() {
        fs::write(folder.path().join(format!("{index:02}.jpg")), jpeg).map_err(failed)?;
    }
    let runtime = runtime::Options { threads: 1, ..options.runtime.clone() };
    let mut models = Vec::with_capacity(SIDES.len());
    for side in SIDES {
        let path = pooling::write(&folder.path().join(side.to_string()), side)?;
        let whole = OpenOptions { runtime: runtime.clone(), ..OpenOptions::default() };
        let reading = Reading { reduced_jpeg: true, ..whole.reading };
        let reduced = match reading.reduces(options.image.into(), [side, side]) {
            true => Some(open(&path, &OpenOptions { reading, ..whole.clone() })?),
            false => None,
        };
        models.push((open(&path, &whole)?, reduced));
    }
    let (mut others, mut skipped) = (Vec::new(), Vec::new());
    for (library, python) in
        steps::LIBRARIES.iter().flat_map(|one| options.pythons.iter().map(move |python| (one, python)))
    {
        match Steps::start(library, python, folder.path()) {
            Ok(steps) => others.push(steps),
            Err(error) => skipped.push(error.to_string()),
        }
    }
    let mut measured = Vec::new();
    for (side, (model, reduced)) in SIDES.into_iter().zip(&models) {
        let ours_is = format!("selfie {}", env!("CARGO_PKG_VERSION"));
        let reduced_is = reduced.iter().map(|_| format!("{ours_is}, --reduced-jpeg"));
        let names = std::iter::once(ours_is.clone()).chain(reduced_is);
        let names = names.chain(others.iter().map(|other| other.name.clone()));
        let mut all: Vec<Measured> = names.map(|name| Measured { name, side, rounds: Vec::new() }).collect();
        for round in 0..=options.rounds {
            let (seconds, vector) = ours(model, &photographs)?;
            let mut times = vec![seconds];
            if let Some(reduced) = reduced {
                let (seconds, found) = ours(reduced, &photographs)?;
                compare("--reduced-jpeg", &found, &vector)?;
                times.push(seconds);
            }
            for other in &mut others {
                let (seconds, found) = other.run(&model.file.path, side)?;
                compare(&other.name, &found, &vector)?;
                times.push(seconds);
            }
            // The first round warms caches up.
            if round > 0 {
                all.iter_mut().zip(times).for_each(|(one, time)| one.rounds.push(photographs.len() as f64 / time));
            }
        }
        measured.extend(all);
    }
    let mean_bytes = photographs.iter().map(Vec::len).sum::<usize>() / photographs.len();
    Ok(Report { runtime: models[0].0.choice.runtime, mean_bytes, measured, skipped })
}

/// The seconds for all photographs, on this thread alone, and the vector of the last one.
fn ours(model: &Model, photographs: &[Vec<u8>]) -> Result<(f64, Vec<f32>), Error> {
    let start = Instant::now();
    let mut last = Vec::new();
    for jpeg in photographs {
        let rows = model.run_items(&[model.preprocessor.item(jpeg)?]);
        let rows = rows.map_err(|reason| Error::Backend { model: pooling::NAME.into(), reason })?;
        last = rows.first().and_then(|row| model.embedding(row)).unwrap_or_default().to_vec();
    }
    Ok((start.elapsed().as_secs_f64(), last))
}

fn compare(name: &str, found: &[f32], expected: &[f32]) -> Result<(), Error> {
    let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() <= TOLERANCE);
    match near && found.len() == expected.len() {
        true => Ok(()),
        false => Err(Error::bench(name, format!("its vector is {found:?}, expected {expected:?} within {TOLERANCE}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_colour_is_noticed() {
        assert!(compare("x", &[0.5, 0.5, 0.51], &[0.5, 0.5, 0.5]).is_ok());
        for found in [&[0.5, 0.5, 0.6][..], &[0.5, 0.5], &[f32::NAN, 0.5, 0.5]] {
            assert!(compare("x", found, &[0.5, 0.5, 0.5]).is_err(), "{found:?}");
        }
    }

    #[test]
    fn ours_alone_needs_no_python() {
        let runtime = runtime::Options { runtime: "tract".into(), ..runtime::Options::default() };
        let report = run(&Options { pythons: Vec::new(), runtime, image: (800, 640), rounds: 1 }).unwrap();
        let names = report.measured.iter().map(|one| (one.side, one.name.ends_with("--reduced-jpeg")));
        assert_eq!(names.collect::<Vec<_>>(), [(SIDES[0], false), (SIDES[1], false), (SIDES[1], true)]);
        assert!(report.measured.iter().all(|one| one.rounds.len() == 1 && one.per_second() > 0.0), "{report:?}");
    }
}
