//! A runtime that is built in: tract, on the processor.

use super::values::whole;
use super::{Device, Found, Options, Output, Runtime, Session, Values, processor_only};
use crate::Error;
use crate::config::threads;
use crate::model_file::ModelFile;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use selfie_models::card::InputDtype;
use tract_onnx::prelude::multithread::Executor;
use tract_onnx::prelude::*;

/// tract, spread over threads.
pub struct Tract;

const NAME: &str = "tract";

impl Runtime for Tract {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, options: &Options) -> Result<Found, Error> {
        processor_only(NAME, options.device)
    }

    fn load(&self, file: &ModelFile, _device: Device, options: &Options) -> Result<Box<dyn Session>, Error> {
        match TractSession::new(file, options) {
            Ok(session) => Ok(Box::new(session)),
            // The alternate form holds the whole chain of causes.
            Err(error) => Err(Error::Load { path: file.path.clone(), runtime: NAME, reason: format!("{error:#}") }),
        }
    }
}

/// A model for one item, or for the batch that the file fixes. A larger batch is spread over the threads item by item:
/// for convolutions that costs less processor time than one large batch, and it needs no
/// shape arithmetic with an unknown batch.
struct TractSession {
    /// Items of one run.
    step: usize,
    /// Runs on the thread that calls it.
    alone: Arc<TypedRunnableModel>,
    /// Spreads one run over the pool.
    spread: Arc<TypedRunnableModel>,
    pool: Arc<ThreadPool>,
    at_once: usize,
}

impl TractSession {
    fn new(file: &ModelFile, options: &Options) -> TractResult<Self> {
        let threads = threads(options.threads);
        let step = file.fixed_batch.unwrap_or(1);
        let model = Arc::new(model(file, step)?);
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("tract-{index}"));
        let pool = Arc::new(pool.build()?);
        let executor = (threads > 1).then(|| Executor::MultiThread(pool.clone()));
        Ok(Self {
            step,
            alone: TypedRunnableModel::new(model.clone())?,
            spread: TypedRunnableModel::new_with_options(model, &RunOptions { executor, ..RunOptions::default() })?,
            pool,
            at_once: options.sessions.max(1),
        })
    }

    /// Runs every part of the batch, on one thread each when there are enough of them to keep the threads busy.
    fn parts<T: Datum + Copy + Sync>(&self, shape: &[usize], values: &[T]) -> TractResult<Vec<Vec<Output>>> {
        let [batch, sides @ ..] = shape else { return Err(TractError::msg("the input has no axes")) };
        let part_shape: Vec<usize> = [self.step].iter().chain(sides).copied().collect();
        let part_len = part_shape.iter().product::<usize>().max(1);
        let run = |plan: &Arc<TypedRunnableModel>, part: &[T]| outputs(plan, Tensor::from_shape(&part_shape, part)?);
        let threads = self.pool.current_num_threads();
        if batch / self.step * 2 <= threads || threads == 1 {
            values.chunks(part_len).map(|part| run(&self.spread, part)).collect()
        } else {
            self.pool.install(|| values.par_chunks(part_len).map(|part| run(&self.alone, part)).collect())
        }
    }
}

impl Session for TractSession {
    fn run(&self, shape: &[usize], input: &Values<'_>) -> Result<Vec<Output>, String> {
        let parts = match input {
            Values::F32(parts) => self.parts(shape, &whole(parts, shape)?),
            Values::U8(parts) => self.parts(shape, &whole(parts, shape)?),
        };
        Ok(join(parts.map_err(|error| format!("{error:#}"))?))
    }

    fn at_once(&self) -> usize {
        self.at_once
    }
}

fn model(file: &ModelFile, batch: usize) -> TractResult<TypedModel> {
    // Files of other exporters carry shapes of intermediate values that contradict a batch given as a number.
    let reader = tract_onnx::onnx().with_ignore_value_info(true).with_ignore_output_shapes(true);
    let mut model = reader.model_for_path(&file.path)?;
    let dtype = match file.card.input.dtype {
        InputDtype::F32 => DatumType::F32,
        InputDtype::U8 => DatumType::U8,
    };
    let name = &file.card.input.name;
    let input = model.input_outlets()?.iter().position(|outlet| model.node(outlet.node).name == *name);
    let input = input.ok_or_else(|| TractError::msg(format!("no input \"{name}\"")))?;
    model.set_input_fact(input, InferenceFact::dt_shape(dtype, file.card.input.shape(batch)))?;
    model.select_outputs_by_name(file.output_names())?;
    model.into_optimized()
}

fn outputs(plan: &Arc<TypedRunnableModel>, input: Tensor) -> TractResult<Vec<Output>> {
    let output = |output: TValue| {
        let output = output.cast_to::<f32>()?;
        let values = output.try_as_plain_ram()?.as_slice::<f32>()?.to_vec();
        Ok(Output { shape: output.shape().to_vec(), values })
    };
    plan.run(tvec!(input.into_tvalue()))?.into_iter().map(output).collect()
}

/// The outputs of the parts, one after the other along the batch.
fn join(parts: Vec<Vec<Output>>) -> Vec<Output> {
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_default();
    for part in parts {
        for (whole, part) in whole.iter_mut().zip(part) {
            if let (Some(rows), Some(more)) = (whole.shape.first_mut(), part.shape.first()) {
                *rows += more;
            }
            whole.values.extend(part.values);
        }
    }
    whole
}
