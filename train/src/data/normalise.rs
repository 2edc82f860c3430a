//! Bytes to normalised numbers: `(byte / 255 - mean) / std`.

/// The 256 normalised values of every channel.
pub(crate) struct Tables(Vec<[f32; 256]>);

impl Tables {
    pub fn new(mean: &[f32], std: &[f32]) -> Self {
        let table = |(mean, std): (&f32, &f32)| std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / std);
        Self(mean.iter().zip(std).map(table).collect())
    }

    /// Appends an image, `[channels, height, width]`, as it is.
    pub fn append(&self, image: &[u8], target: &mut Vec<f32>) {
        let plane = image.len() / self.0.len();
        for (table, bytes) in self.0.iter().zip(image.chunks_exact(plane)) {
            target.extend(bytes.iter().map(|&byte| table[usize::from(byte)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_its_own_mean_and_deviation() {
        let tables = Tables::new(&[0.0, 0.5], &[1.0, 0.25]);
        let mut values = Vec::new();
        tables.append(&[0, 255, 0, 255], &mut values);
        assert_eq!(values, [0.0, 1.0, -2.0, 2.0]);
    }
}
