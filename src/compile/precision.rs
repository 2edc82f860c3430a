//! Half precision and 8-bit integers: what is typed, and the numbers that tell what it cost.

use super::data::Pictures;
use super::runtimes::ONNX_RUNTIME;
use super::source::Source;
use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use selfie_export::precision::int8::{Calibration, Int8, Int8Report};
use selfie_export::precision::{Half, HalfReport, HalfType, Keep};
use selfie_export::verify::{OnnxRuntime, Row, Runner};
use selfie_models::card;
use std::collections::BTreeMap;

/// How numbers are stored and computed.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How numbers are stored and computed.
    #[arg(long, value_enum, default_value_t = Precision::F32, value_name = "PRECISION")]
    pub precision: Precision,
    /// An operator (`MatMul`) or module path (`resnet.layer1`) that stays in f32; `*` stands for any text. May be repeated.
    #[arg(long, value_name = "PATTERN")]
    keep_f32: Vec<String>,
    /// Data set whose training images give the scales of int8, and whose test images tell the accuracy.
    #[arg(long, value_name = "SPEC")]
    calibrate: Option<String>,
    /// Data set whose test images tell the accuracy of f16 and bf16; int8 takes that of --calibrate.
    #[arg(long, value_name = "SPEC", conflicts_with = "calibrate")]
    test_on: Option<String>,
    /// How the range of an activation is chosen.
    #[arg(long, value_enum, default_value_t = Method::Minmax, value_name = "METHOD")]
    calibration: Method,
}

/// How numbers are stored and computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// bfloat16: weights in 16 bits, computation in f32 where ONNX Runtime has no bfloat16 kernel on the processor.
    Bf16,
    /// 8-bit integers in layers with weights.
    Int8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// The smallest and the largest number.
    Minmax,
    /// All but a ten-thousandth of the numbers at either end.
    Percentile,
    /// The range that loses the least information.
    Entropy,
}

/// What the compiler reports.
pub enum Report {
    /// Nothing was lowered.
    Full,
    /// On half precision.
    Half(HalfReport),
    /// On 8-bit integers.
    Int8(Int8Report),
}

/// The part that `--calibration percentile` takes off at either end.
const TAIL: f64 = 1e-4;
/// The cosine with 32-bit floats below which a half-precision model is refused.
const LEAST_COSINE: f64 = 0.999;
/// The same for 8-bit integers, on test images.
const LEAST_COSINE_INT8: f64 = 0.9;

impl Default for Options {
    fn default() -> Self {
        Self {
            precision: Precision::F32,
            keep_f32: vec![],
            calibrate: None,
            test_on: None,
            calibration: Method::Minmax,
        }
    }
}

impl Options {
    /// Checks what does not go together.
    pub fn check(&self) -> anyhow::Result<()> {
        let int8 = self.precision == Precision::Int8;
        ensure!(int8 || self.calibrate.is_none(), "--calibrate belongs to --precision int8");
        ensure!(!int8 || self.calibrate.is_some(), "--precision int8 needs --calibrate with a data set of real images");
        let half = self.lowers() && !int8;
        ensure!(half || self.test_on.is_none(), "--test-on belongs to --precision f16 or bf16");
        ensure!(self.lowers() || self.keep_f32.is_empty(), "--keep-f32 belongs to --precision f16, bf16 or int8");
        Ok(())
    }

    /// Whether the numbers become smaller at all.
    pub fn lowers(&self) -> bool {
        self.precision != Precision::F32
    }

    /// Whether the scales of the numbers come from images.
    pub fn calibrates(&self) -> bool {
        self.calibrate.is_some()
    }

    /// Opens the images for calibration and accuracy.
    pub fn pictures(&self, source: &Source) -> anyhow::Result<Option<Pictures>> {
        self.calibrate.as_deref().or(self.test_on.as_deref()).map(|spec| Pictures::open(spec, &source.card)).transpose()
    }

    /// Lowers the precision of the model of a source.
    pub fn apply(
        &self,
        source: &mut Source,
        pictures: Option<&Pictures>,
        runner: Option<&OnnxRuntime>,
    ) -> anyhow::Result<Report> {
        let keep = Keep(self.keep_f32.clone());
        let dtype = match self.precision {
            Precision::F32 => return Ok(Report::Full),
            Precision::F16 => HalfType::F16,
            Precision::Bf16 => HalfType::BF16,
            Precision::Int8 => {
                let calibration = match self.calibration {
                    Method::Minmax => Calibration::MinMax,
                    Method::Percentile => Calibration::Percentile(TAIL),
                    Method::Entropy => Calibration::Entropy,
                };
                let runner: &dyn Runner = runner.context(
                    "calibration runs in ONNX Runtime, which is not here; `selfie runtime install` brings it",
                )?;
                let pictures = pictures.context("--precision int8 needs --calibrate")?;
                let batches = pictures.calibration(&source.model, &source.card)?;
                return Ok(Report::Int8(source.model.to_int8(&Int8 { calibration, keep }, runner, &batches)?));
            }
        };
        Ok(Report::Half(source.model.to_half(&Half { dtype, keep, io: false })?))
    }

    /// What the card says about it, from the rows of ONNX Runtime.
    ///
    /// # Errors
    /// A half-precision model that is far from 32-bit floats.
    pub fn provenance(&self, rows: &[Row]) -> anyhow::Result<card::Precision> {
        let mut max_abs_error: BTreeMap<String, f64> = BTreeMap::new();
        let mut cosine: BTreeMap<String, f64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.runner == ONNX_RUNTIME) {
            if let Some(failure) = &row.failure {
                bail!("ONNX Runtime does not run the model in lower precision, so it is not written: {failure}");
            }
            let worst = max_abs_error.entry(row.output.clone()).or_default();
            *worst = worst.max(row.max_abs_error);
            let least = cosine.entry(row.output.clone()).or_insert(1.0);
            *least = least.min(row.cosine);
            let (least, instead) = match self.precision {
                Precision::Int8 => (LEAST_COSINE_INT8, "another --calibration"),
                _ => (LEAST_COSINE, "--precision bf16"),
            };
            ensure!(
                row.max_abs_error.is_finite() && row.cosine >= least,
                "output {} in lower precision has a cosine of {:.5} with f32, at least {least} is expected; keep more in \
                 f32 with --keep-f32, or take {instead}",
                row.output,
                row.cosine
            );
        }
        ensure!(
            !cosine.is_empty(),
            "lower precision is proven in ONNX Runtime, which is not here; `selfie runtime install` brings it"
        );
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map_or(String::new(), |value| value.get_name().to_owned())
        };
        let method = name(self.calibration.to_possible_value());
        Ok(card::Precision {
            precision: name(self.precision.to_possible_value()),
            keep_f32: self.keep_f32.clone(),
            calibration: self.calibrate.as_ref().map(|data| format!("{method} on {data}")),
            max_abs_error,
            cosine,
            accuracy: None,
        })
    }
}
