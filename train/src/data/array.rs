//! An array of numbers as numpy stores it.

/// Numbers in row-major, little-endian order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Array {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Array {
    /// Rows of bytes, and the length of a row; none where the array does not hold bytes.
    pub fn byte_rows(&self) -> Result<(usize, usize), String> {
        let rows = self.shape.first().copied().unwrap_or_default();
        let row: usize = self.shape.iter().skip(1).product();
        match rows.checked_mul(row) {
            Some(len) if len == self.bytes.len() && len > 0 => Ok((rows, row)),
            _ => Err(format!("an array of shape {:?} has {} bytes; bytes are expected", self.shape, self.bytes.len())),
        }
    }

    /// The numbers of an array of integers.
    pub fn integers(&self) -> Result<Vec<i64>, String> {
        let count: usize = self.shape.iter().product();
        let size = self.bytes.len().checked_div(count).unwrap_or(1);
        if ![1, 2, 4, 8].contains(&size) || size * count != self.bytes.len() {
            let (shape, len) = (&self.shape, self.bytes.len());
            return Err(format!("an array of shape {shape:?} has {len} bytes; integers are expected"));
        }
        let integer = |bytes: &[u8]| {
            // Labels are not negative, so that signed and unsigned integers have the same bytes.
            let mut wide = [0; 8];
            wide[..size].copy_from_slice(bytes);
            i64::from_le_bytes(wide)
        };
        Ok(self.bytes.chunks_exact(size).map(integer).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_width_are_read() {
        for (bytes, size) in [(vec![1, 2], 1), (vec![1, 0, 2, 0], 2), (vec![1, 0, 0, 0, 2, 0, 0, 0], 4)] {
            assert_eq!(Array { shape: vec![2], bytes }.integers(), Ok(vec![1, 2]), "{size} bytes");
        }
        assert!(Array { shape: vec![3], bytes: vec![0; 9] }.integers().is_err());
        assert_eq!(Array { shape: vec![2, 3], bytes: vec![0; 6] }.byte_rows(), Ok((2, 3)));
        assert!(Array { shape: vec![2, 3], bytes: vec![0; 24] }.byte_rows().is_err());
    }
}
