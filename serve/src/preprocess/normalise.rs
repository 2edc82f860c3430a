//! `(byte * rescale_factor - mean) / std`, from a table: a byte has only 256 values.

use selfie_models::card::Preprocessing;

/// The normalised value of every byte in every channel.
#[derive(Clone, Debug)]
pub struct Normaliser {
    tables: Vec<[f32; 256]>,
}

impl Normaliser {
    /// Fills the tables. The product is rounded to 32 bits before the mean is subtracted, as Hugging Face's image
    /// processors do.
    pub fn new(steps: &Preprocessing) -> Self {
        let table = |(mean, std): (&f32, &f32)| {
            std::array::from_fn(|byte| ((byte as f64 * steps.rescale_factor) as f32 - mean) / std)
        };
        Self { tables: steps.image_mean.iter().zip(&steps.image_std).map(table).collect() }
    }

    /// The normalised value of `byte` in `channel`.
    pub fn value(&self, channel: usize, byte: u8) -> f32 {
        self.tables[channel][usize::from(byte)]
    }
}
