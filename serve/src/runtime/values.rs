//! What goes into a runtime and what comes out of it.

use selfie_models::card::InputDtype;
use std::borrow::Cow;

/// A batch of inputs, row-major, in parts that follow each other. What they leave free at the end of the batch is zero.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// Normalised floats.
    F32(Vec<&'a [f32]>),
    /// Raw bytes.
    U8(Vec<&'a [u8]>),
}

impl Values<'_> {
    /// A batch of zeros.
    pub fn zeros(dtype: InputDtype) -> Self {
        match dtype {
            InputDtype::F32 => Self::F32(Vec::new()),
            InputDtype::U8 => Self::U8(Vec::new()),
        }
    }
}

/// One output of a batch, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Shape, the batch first.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

/// A shape without axes of one behind the second: a feature map of one place is a row.
pub fn squeezed(shape: &[usize]) -> &[usize] {
    let axes = shape.iter().rposition(|side| *side != 1).map_or(0, |last| last + 1);
    &shape[..axes.max(shape.len().min(2))]
}

/// The parts as one slice of the length of `shape`. A part that fills it is not copied.
///
/// # Errors
/// The parts are longer.
pub fn whole<'a, T: Copy + Default>(parts: &[&'a [T]], shape: &[usize]) -> Result<Cow<'a, [T]>, String> {
    let len = shape.iter().product();
    if let [part] = parts
        && part.len() == len
    {
        return Ok(Cow::Borrowed(part));
    }
    let mut whole = vec![T::default(); len];
    lay_down(parts, &mut whole)?;
    Ok(Cow::Owned(whole))
}

/// Lays the parts down in a place that is there already.
///
/// # Errors
/// The place is too short.
pub fn lay_down<T: Copy + Default>(parts: &[&[T]], mut place: &mut [T]) -> Result<(), String> {
    for part in parts {
        let free = place.len();
        let (head, tail) = place
            .split_at_mut_checked(part.len())
            .ok_or_else(|| format!("{} values are left, but only {free} go into the batch", part.len()))?;
        head.copy_from_slice(part);
        place = tail;
    }
    place.fill(T::default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_zeros_follow_them() {
        let (first, second) = ([1.0f32, 2.0], [3.0f32]);
        let expected = [1.0, 2.0, 3.0, 0.0];
        assert_eq!(&*whole(&[&first[..], &second], &[2, 2]).unwrap(), expected);
        let mut place = [9.0f32; 4];
        lay_down(&[&first[..], &second], &mut place).unwrap();
        assert_eq!(place, expected);
        assert_eq!(&*whole::<u8>(&[], &[1, 2]).unwrap(), [0, 0]);
    }

    #[test]
    fn axes_of_one_behind_a_row_do_not_count() {
        for (shape, expected) in [
            (&[2, 10, 1, 1][..], &[2, 10][..]),
            (&[1, 1, 1, 1], &[1, 1]),
            (&[2, 1], &[2, 1]),
            (&[2, 3, 1, 4], &[2, 3, 1, 4]),
            (&[2, 3, 4, 1], &[2, 3, 4]),
            (&[1], &[1]),
            (&[], &[]),
        ] {
            assert_eq!(squeezed(shape), expected, "{shape:?}");
        }
    }

    #[test]
    fn a_part_that_fills_the_batch_is_not_copied() {
        let part = [1u8, 2];
        assert!(matches!(whole(&[&part[..]], &[1, 2]), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn more_than_a_batch_is_an_error() {
        let message = lay_down(&[&[1u8, 2][..], &[3, 4]], &mut [0; 3]).unwrap_err();
        assert!(message.contains("only 1 go into the batch"), "{message}");
    }
}
