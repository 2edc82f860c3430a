//! A runtime that is built in: rten, on the processor.
//!
//! It computes in 32 bits: half-precision floats and doubles become f32 when a file is read, 64-bit integers 32-bit ones. What
//! that does to the numbers of a model is for its golden samples to judge.

use super::values::whole;
use super::{Device, Found, Options, Output, Runtime, Session, Values, processor_only};
use crate::Error;
use crate::config::threads;
use crate::model_file::ModelFile;
use ::rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::TensorView;
use rten_tensor::prelude::*;
use std::sync::Arc;

/// rten, spread over threads.
pub struct Rten;

const NAME: &str = "rten";

impl Runtime for Rten {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, options: &Options) -> Result<Found, Error> {
        processor_only(NAME, options.device)
    }

    fn load(&self, file: &ModelFile, _device: Device, options: &Options) -> Result<Box<dyn Session>, Error> {
        match RtenSession::new(file, options) {
            Ok(session) => Ok(Box::new(session)),
            Err(reason) => Err(Error::Load { path: file.path.clone(), runtime: NAME, reason }),
        }
    }
}

/// A model for any batch.
struct RtenSession {
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    options: RunOptions,
    at_once: usize,
}

impl RtenSession {
    fn new(file: &ModelFile, options: &Options) -> Result<Self, String> {
        // Weights in the order in which products want them cost their size once more.
        let model = ModelOptions::with_all_ops().prepack_weights(true).load_file(&file.path);
        let model = model.map_err(|error| error.to_string())?;
        let node = |name: &str| model.node_id(name).map_err(|error| error.to_string());
        let input = node(&file.card.input.name)?;
        let outputs = file.output_names().into_iter().map(node).collect::<Result<_, _>>()?;
        let pool = Arc::new(ThreadPool::with_num_threads(threads(options.threads)));
        let (at_once, options) = (options.sessions.max(1), RunOptions::default().with_thread_pool(Some(pool)));
        Ok(Self { model, input, outputs, options, at_once })
    }
}

impl Session for RtenSession {
    fn run(&self, shape: &[usize], input: &Values<'_>) -> Result<Vec<Output>, String> {
        let (floats, bytes);
        let input: ValueOrView<'_> = match input {
            Values::F32(parts) => {
                floats = whole(parts, shape)?;
                TensorView::from_data(shape, &*floats).into()
            }
            Values::U8(parts) => {
                bytes = whole(parts, shape)?;
                TensorView::from_data(shape, &*bytes).into()
            }
        };
        let found = self.model.run(vec![(self.input, input)], &self.outputs, Some(self.options.clone()));
        found.map_err(|error| error.to_string())?.iter().map(output).collect()
    }

    fn at_once(&self) -> usize {
        self.at_once
    }
}

fn output(value: &Value) -> Result<Output, String> {
    let values: TensorView<'_, f32> = value.as_tensor_view().ok_or("it gave an output that is not f32")?;
    Ok(Output { shape: values.shape().to_vec(), values: values.to_vec() })
}
