//! From images or prepared items to rows, in one batch.

use super::{Model, Row};
use crate::Error;
use crate::preprocess::Pixels;
use crate::runtime::{Output, Values, squeezed};
use rayon::prelude::*;
use selfie_models::card::InputDtype;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Model {
    /// Prepares the images on rayon's threads and runs them, spread over what the runtime runs at once.
    ///
    /// # Errors
    /// [`Error::Image`] names the first image that cannot be used; [`Error::Backend`] is the runtime's.
    pub fn infer<B: AsRef<[u8]> + Sync>(&self, images: &[B]) -> Result<Vec<Row>, Error> {
        let failed = |reason| Error::Backend { model: self.card().name.clone(), reason };
        let item = |image: &B| self.preprocessor.item(image.as_ref());
        let items: Vec<_> = images.par_iter().map(item).collect();
        let items = items.into_iter().enumerate().map(|(index, item)| item.map_err(|error| error.at_item(index)));
        let rows = self.spread(&items.collect::<Result<Vec<_>, _>>()?).map_err(failed)?;
        match rows.iter().position(|row| !row.is_finite()) {
            Some(item) => Err(failed(format!("image {item} gives a number that is not finite"))),
            None => Ok(rows),
        }
    }

    /// Gives each of the batches that the runtime runs at once its share of the items, and runs that share in order, in batches that the
    /// runtime takes.
    pub(crate) fn spread(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        let share = items.len().div_ceil(self.at_once()).max(1);
        let batch = self.largest_batch().unwrap_or(share).min(share);
        let in_order =
            |share: &[Pixels]| share.chunks(batch).map(|part| self.run_items(part)).collect::<Result<_, _>>();
        let rows: Vec<Vec<Vec<Row>>> = items.par_chunks(share).map(in_order).collect::<Result<_, _>>()?;
        Ok(rows.into_iter().flatten().flatten().collect())
    }

    /// Runs items that are prepared already.
    ///
    /// # Errors
    /// What the runtime said.
    pub(crate) fn run_items(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        let values = match self.preprocessor.dtype() {
            InputDtype::F32 => items.iter().map(Pixels::floats).collect::<Option<_>>().map(Values::F32),
            InputDtype::U8 => items.iter().map(Pixels::bytes).collect::<Option<_>>().map(Values::U8),
        };
        self.run(items.len(), &values.ok_or("an item has another type than the model")?)
    }

    /// Runs a batch of floats, rounded down to bytes where the model takes bytes.
    pub(super) fn run_values(&self, batch: usize, values: &[f32]) -> Result<Vec<Row>, String> {
        match self.preprocessor.dtype() {
            InputDtype::F32 => self.run(batch, &Values::F32(vec![values])),
            InputDtype::U8 => {
                let bytes: Vec<u8> = values.iter().map(|value| *value as u8).collect();
                self.run(batch, &Values::U8(vec![&bytes]))
            }
        }
    }

    /// Runs `count` items. What is missing to the next bucket is filled with zeros, whose rows nobody sees.
    fn run(&self, count: usize, values: &Values<'_>) -> Result<Vec<Row>, String> {
        if let Some(largest) = self.largest_batch().filter(|largest| count > *largest) {
            return Err(format!("a batch of {count} was given to a model whose largest batch is {largest}"));
        }
        let batch = self.padded(count);
        let shape = self.card().input.shape(batch);
        // A panic in a runtime must cost one batch, not the thread that serves all of them.
        let outputs = catch_unwind(AssertUnwindSafe(|| self.session.run(&shape, values)))
            .unwrap_or_else(|_| Err("the runtime panicked".into()))?;
        self.rows(count, batch, &outputs)
    }

    fn rows(&self, count: usize, batch: usize, outputs: &[Output]) -> Result<Vec<Row>, String> {
        let (names, widths) = (self.file.output_names(), self.file.output_widths());
        if outputs.len() != names.len() {
            return Err(format!("it gave {} outputs, expected {names:?}", outputs.len()));
        }
        for ((output, name), width) in outputs.iter().zip(&names).zip(&widths) {
            if squeezed(&output.shape) != [batch, *width] {
                return Err(format!(
                    "output \"{name}\" has shape {:?}, the card says {:?}",
                    output.shape,
                    [batch, *width]
                ));
            }
        }
        let row = |index: usize| {
            let cut = |(output, width): (&Output, &usize)| output.values[index * width..(index + 1) * width].to_vec();
            Row { outputs: outputs.iter().zip(&widths).map(cut).collect() }
        };
        Ok((0..count).map(row).collect())
    }
}
