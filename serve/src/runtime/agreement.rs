//! Whether two ways to run a model give the same numbers.

use super::{Output, Values};
use selfie_models::card::InputDtype;

/// Part of the largest number of an output by which it may differ.
const TOLERANCE: f32 = 1e-3;

/// Runs three batches in both ways, the last one as the first. What gives the same again whatever goes in is found out by the one
/// between them.
///
/// # Errors
/// What one of the two said, or by how much they differ.
pub fn agree(
    dtype: InputDtype,
    len: usize,
    mut expected: impl FnMut(&Values<'_>) -> Result<Vec<Output>, String>,
    mut found: impl FnMut(&Values<'_>) -> Result<Vec<Output>, String>,
) -> Result<(), String> {
    let bytes: Vec<u8> = (0..len).map(|index| (index % 251) as u8).collect();
    let floats: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte) / 125.0 - 1.0).collect();
    let ramp = match dtype {
        InputDtype::F32 => Values::F32(vec![&floats]),
        InputDtype::U8 => Values::U8(vec![&bytes]),
    };
    let mut answers = Vec::new();
    for values in [&ramp, &Values::zeros(dtype), &ramp] {
        let (expected, found) = (expected(values)?, found(values)?);
        compare(&expected, &found)?;
        answers.push((expected, found));
    }
    match answers.as_slice() {
        [first, second, ..] if first.0 != second.0 && first.1 == second.1 => {
            Err("it gives the same whatever goes in".into())
        }
        _ => Ok(()),
    }
}

fn compare(expected: &[Output], found: &[Output]) -> Result<(), String> {
    let shapes = |outputs: &[Output]| outputs.iter().map(|output| output.shape.clone()).collect::<Vec<_>>();
    if shapes(expected) != shapes(found) {
        return Err(format!("its outputs have shapes {:?} instead of {:?}", shapes(found), shapes(expected)));
    }
    for (expected, found) in expected.iter().zip(found) {
        let largest = expected.values.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        for (expected, found) in expected.values.iter().zip(&found.values) {
            let is_same = expected == found || (expected.is_nan() && found.is_nan());
            let is_close = (expected - found).abs() <= TOLERANCE * largest;
            if !is_same && !is_close {
                return Err(format!("it gives {found} instead of {expected}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(values: &[f32]) -> Vec<Output> {
        vec![Output { shape: vec![1, values.len()], values: values.to_vec() }]
    }

    #[test]
    fn numbers_are_compared_with_the_largest_one() {
        let small = output(&[1e-5, 2e-5]);
        assert!(compare(&small, &output(&[1.001e-5, 2e-5])).is_ok());
        for wrong in [[0.0, 0.0], [1e-5, f32::NAN], [1e-5, 2.1e-5]] {
            assert!(compare(&small, &output(&wrong)).is_err(), "{wrong:?}");
        }
        assert!(compare(&output(&[f32::NAN, f32::INFINITY]), &output(&[f32::NAN, f32::INFINITY])).is_ok());
        let wide = vec![Output { shape: vec![2, 1], values: vec![1e-5, 2e-5] }];
        assert!(compare(&small, &wide).unwrap_err().contains("[[2, 1]] instead of [[1, 2]]"));
    }

    #[test]
    fn what_does_not_look_at_its_input_is_found_out() {
        let sum = |values: &Values<'_>| match values {
            Values::F32(parts) => Ok(output(&[1.0 + 1e-6 * parts.concat().iter().sum::<f32>()])),
            Values::U8(_) => Err("bytes".to_owned()),
        };
        agree(InputDtype::F32, 7, sum, sum).unwrap();
        let stuck = |_: &Values<'_>| Ok(output(&[1.0]));
        assert!(agree(InputDtype::F32, 7, sum, stuck).unwrap_err().contains("whatever goes in"));
        assert!(agree(InputDtype::U8, 7, sum, sum).is_err());
    }
}
