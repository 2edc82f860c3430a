//! The shape operand of `Reshape`.

use super::Dim;

/// The constant shape operand that turns `from` into `to` at every size, if there is one.
///
/// `0` copies the axis of the input at the same position, one `-1` stands for what is left.
pub fn reshape_target(from: &[Dim], to: &[Dim]) -> Option<Vec<i64>> {
    let mut inferred = false;
    let mut target = Vec::with_capacity(to.len());
    for (axis, dim) in to.iter().enumerate() {
        match dim.fixed() {
            Some(0) => return None,
            Some(size) => target.push(size),
            None if from.get(axis) == Some(dim) => target.push(0),
            None if !inferred => {
                inferred = true;
                target.push(-1);
            }
            None => return None,
        }
    }
    Some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_use_the_simplest_form() {
        let b = || Dim::symbol(0);
        let s = || Dim::symbol(1);
        let opaque = || Dim::Opaque(vec![6, 12, 20]);
        let n = Dim::Fixed;
        let cases = [
            (vec![n(6), n(4)], vec![n(2), n(12)], Some(vec![2, 12])),
            (vec![b(), n(3), n(8), n(8)], vec![b(), n(3), n(2), n(4), n(2), n(4)], Some(vec![0, 3, 2, 4, 2, 4])),
            (vec![opaque(), n(5)], vec![b(), n(4), n(5)], Some(vec![-1, 4, 5])),
            (vec![b(), s(), n(5)], vec![opaque(), n(5)], Some(vec![-1, 5])),
            (vec![opaque(), n(5)], vec![b(), s(), n(5)], None),
            (vec![b(), n(0)], vec![n(0), b()], None),
        ];
        for (index, (from, to, expected)) in cases.iter().enumerate() {
            assert_eq!(&reshape_target(from, to), expected, "case {index}");
        }
    }
}
