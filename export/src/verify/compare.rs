//! Expected numbers against those of the runtimes, as a table.

use std::path::Path;

use burn::tensor::{DType, TensorData};

use super::{Case, Kind, Runner, Session};
use crate::{Error, Result};

/// How far a number may be from the expected one: `|a - b| <= absolute + relative · |b|`.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// The absolute part.
    pub absolute: f64,
    /// The part that grows with the expected number.
    pub relative: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { absolute: 1e-4, relative: 1e-4 }
    }
}

/// One line of the table: one output of one case on one runtime.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name of the runtime.
    pub runner: &'static str,
    /// Size of the first axis of the first input; 0 where the model does not load.
    pub batch: usize,
    /// What the inputs of the case are.
    pub kind: Kind,
    /// Name of the output.
    pub output: String,
    /// The largest absolute difference; infinite where shapes differ or only one side is a number.
    pub max_abs_error: f64,
    /// The cosine of the angle between found and expected numbers, taken as one vector; 0 where they cannot be compared.
    pub cosine: f64,
    /// Whether every number is within the tolerance.
    pub ok: bool,
    /// What is wrong besides the numbers.
    pub failure: Option<String>,
    /// Whether the runtime does not load or run the model, so that nothing was compared; `failure` says why.
    pub refused: bool,
}

impl Row {
    /// Nothing found yet.
    fn open(runner: &'static str, batch: usize, kind: Kind, output: String) -> Self {
        let (max_abs_error, cosine) = (f64::INFINITY, 0.0);
        Self { runner, batch, kind, output, max_abs_error, cosine, ok: false, failure: None, refused: false }
    }

    fn refusal(runner: &'static str, batch: usize, kind: Kind, error: &Error) -> Self {
        Self { failure: Some(error.to_string()), refused: true, ..Self::open(runner, batch, kind, "all".to_string()) }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { runner, batch, kind, output, max_abs_error, ok, failure, .. } = self;
        match failure {
            Some(failure) => write!(f, "{runner}, {kind} inputs, first axis {batch}, `{output}`: {failure}"),
            None => {
                let verdict = if *ok { "ok" } else { "too far" };
                write!(
                    f,
                    "{runner}, {kind} inputs, first axis {batch}, `{output}`: off by {max_abs_error:.1e}, {verdict}"
                )
            }
        }
    }
}

/// Runs every case on every runtime.
///
/// A runtime that does not load or run the model is a row that is `refused`.
///
/// # Errors
/// A file that cannot be read.
pub fn verify(model: &[u8], cases: &[Case], runners: &[&dyn Runner], tolerance: Tolerance) -> Result<Vec<Row>> {
    rows(cases, runners, tolerance, |runner| runner.load(model))
}

/// Runs every case on every runtime, with the model of a file and the external data beside it.
///
/// A runtime that does not load or run the model is a row that is `refused`.
///
/// # Errors
/// A file that cannot be read.
pub fn verify_file(path: &Path, cases: &[Case], runners: &[&dyn Runner], tolerance: Tolerance) -> Result<Vec<Row>> {
    rows(cases, runners, tolerance, |runner| runner.load_file(path))
}

fn rows(
    cases: &[Case],
    runners: &[&dyn Runner],
    tolerance: Tolerance,
    load: impl Fn(&dyn Runner) -> Result<Box<dyn Session>>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for runner in runners {
        let mut session = match load(*runner) {
            Ok(session) => session,
            Err(error @ (Error::Runner { .. } | Error::UnsupportedElementType(_))) => {
                rows.push(Row::refusal(runner.name(), 0, Kind::Usual, &error));
                continue;
            }
            Err(error) => return Err(error),
        };
        cases.iter().for_each(|case| rows.append(&mut compared(runner.name(), session.as_mut(), case, tolerance)));
    }
    Ok(rows)
}

/// The rows of one case on one runtime.
fn compared(runner: &'static str, session: &mut dyn Session, case: &Case, tolerance: Tolerance) -> Vec<Row> {
    let batch = case.inputs.first().and_then(|data| data.shape().first().copied()).unwrap_or(1);
    let row = |output: String| Row::open(runner, batch, case.kind, output);
    let tolerance = case.tolerance(tolerance);
    let outputs = match session.run(&case.inputs) {
        Err(error) => return vec![Row::refusal(runner, batch, case.kind, &error)],
        Ok(outputs) => outputs,
    };
    if outputs.len() != case.expected.len() {
        let failure = Some(format!("{} outputs where {} are expected", outputs.len(), case.expected.len()));
        return vec![Row { failure, ..row("all".to_string()) }];
    }
    let judged = outputs.iter().zip(&case.expected).map(|((name, found), expected)| {
        match difference(found, expected, tolerance) {
            Ok((max_abs_error, ok)) => Row { max_abs_error, cosine: cosine(found, expected), ok, ..row(name.clone()) },
            Err(failure) => Row { failure: Some(failure), ..row(name.clone()) },
        }
    });
    judged.collect()
}

fn difference(found: &TensorData, expected: &TensorData, tolerance: Tolerance) -> Result<(f64, bool), String> {
    let kind = |dtype: DType| (dtype.is_float(), matches!(dtype, DType::Bool(_)));
    if found.shape() != expected.shape() || kind(found.dtype()) != kind(expected.dtype()) {
        let text = |data: &TensorData| format!("{:?}{:?}", data.dtype(), data.shape().to_vec());
        return Err(format!("{} where {} is expected", text(found), text(expected)));
    }
    let (mut largest, mut ok) = (0.0f64, true);
    for (found, expected) in found.iter::<f64>().zip(expected.iter::<f64>()) {
        let equal = found == expected || (found.is_nan() && expected.is_nan());
        let error = match (found - expected).abs() {
            _ if equal => 0.0,
            error if error.is_nan() => f64::INFINITY,
            error => error,
        };
        largest = largest.max(error);
        ok &= equal || (error.is_finite() && error <= tolerance.absolute + tolerance.relative * expected.abs());
    }
    Ok((largest, ok))
}

fn cosine(found: &TensorData, expected: &TensorData) -> f64 {
    let (mut product, mut left, mut right) = (0.0, 0.0, 0.0);
    for (found, expected) in found.iter::<f64>().zip(expected.iter::<f64>()) {
        product += found * expected;
        left += found * found;
        right += expected * expected;
    }
    match left == right && left == 0.0 {
        true => 1.0,
        false => product / (left * right).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_judged_by_value_shape_and_kind() {
        let tolerance = Tolerance { absolute: 0.1, relative: 0.0 };
        let data = |values: [f32; 2]| TensorData::from(values);
        let cases = [
            (data([1.0, 2.0]), data([1.0, 2.05]), Some(true)),
            (data([1.0, 2.0]), data([1.0, 2.2]), Some(false)),
            (data([1.0, f32::NAN]), data([1.0, 2.0]), Some(false)),
            (data([1.0, f32::NAN]), data([1.0, f32::NAN]), Some(true)),
            (data([f32::INFINITY, 0.0]), data([f32::INFINITY, 0.0]), Some(true)),
            (TensorData::from([1.0f32]), data([1.0, 2.0]), None),
            (TensorData::from([1i64, 2]), data([1.0, 2.0]), None),
        ];
        for (index, (found, expected, ok)) in cases.iter().enumerate() {
            let judged = difference(found, expected, tolerance).ok().map(|(_, ok)| ok);
            assert_eq!(judged, *ok, "case {index}");
        }
    }

    /// Loads nothing, or runs nothing.
    struct Stubborn {
        loads: bool,
    }

    impl Runner for Stubborn {
        fn name(&self) -> &'static str {
            "stubborn"
        }

        fn load(&self, _: &[u8]) -> Result<Box<dyn Session>> {
            match self.loads {
                true => Ok(Box::new(Self { loads: true })),
                false => Err(Error::UnsupportedElementType("float8".to_string())),
            }
        }

        fn load_file(&self, path: &Path) -> Result<Box<dyn Session>> {
            let source = std::io::ErrorKind::NotFound.into();
            Err(Error::Io { action: "reading", path: path.to_path_buf(), source })
        }
    }

    impl Session for Stubborn {
        fn run(&mut self, _: &[TensorData]) -> Result<Vec<(String, TensorData)>> {
            Err(Error::Runner { runner: "stubborn", action: "running", message: "no kernel".to_string() })
        }
    }

    #[test]
    fn a_runtime_that_does_not_take_a_model_is_a_row_and_a_file_that_is_not_there_an_error() {
        let case = Case::new(vec![TensorData::from([1.0f32, 2.0])], vec![]);
        for (loads, batch, reason) in [(false, 0, "float8"), (true, 2, "no kernel")] {
            let rows = verify(b"", std::slice::from_ref(&case), &[&Stubborn { loads }], Tolerance::default()).unwrap();
            let [row] = &rows[..] else { panic!("{rows:?}") };
            assert!(row.refused && !row.ok && row.batch == batch, "{row:?}");
            assert!(row.failure.as_ref().is_some_and(|failure| failure.contains(reason)), "{row:?}");
        }
        assert!(
            verify_file(Path::new("nowhere"), &[case], &[&Stubborn { loads: true }], Tolerance::default()).is_err()
        );
    }

    #[test]
    fn large_inputs_may_be_off_by_a_part_of_their_largest_answer() {
        let usual = Tolerance::default();
        let expected = vec![TensorData::from([3.0f32, -500.0, f32::INFINITY])];
        let case = |kind| Case { kind, inputs: vec![], expected: expected.clone() };
        for (kind, absolute) in [(Kind::Usual, 1e-4), (Kind::Zeros, 1e-4), (Kind::Large, 5e-2)] {
            let found = case(kind).tolerance(usual);
            assert!((found.absolute - absolute).abs() < 1e-12 && found.relative == usual.relative, "{kind}: {found:?}");
        }
    }

    #[test]
    fn the_cosine_is_that_of_the_angle() {
        let data = |values: [f32; 2]| TensorData::from(values);
        for (found, expected, cosine_of) in [
            (data([1.0, 0.0]), data([2.0, 0.0]), 1.0),
            (data([1.0, 0.0]), data([0.0, 1.0]), 0.0),
            (data([1.0, 1.0]), data([-1.0, -1.0]), -1.0),
            (data([0.0, 0.0]), data([0.0, 0.0]), 1.0),
        ] {
            let cosine = cosine(&found, &expected);
            assert!((cosine - cosine_of).abs() < 1e-12, "{cosine} for {found} and {expected}");
        }
    }
}
