//! Trainings of a few steps, with everything that they start from and see, for another program to repeat.
//!
//! | in the folder of a stage | what it holds |
//! |---|---|
//! | `run/` | the run, trained as any other; `metrics.jsonl` has the loss of every step |
//! | `initial.safetensors` | the weights before the first step, with PyTorch's names and layout |
//! | `batches.safetensors` | `images` `[steps, batch, channels, height, width]` and `labels` `[steps, batch]`; in pretraining also the cells that are `masked` and `visible`, `[steps, batch, cells]` |

use crate::data::{Batch, Loader, LoaderConfig};
use crate::finetune;
use crate::session::Session;
use crate::start::Start;
use crate::{Error, Options, Recipe, Stage, Summary, pretrain};
use safetensors::tensor::{Dtype, TensorView};
use selfie_models::network::NetworkConfig;
use selfie_models::saved::{save_weights, write_atomically};
use std::path::Path;
use std::sync::Arc;

const RUN: &str = "run";
const INITIAL_FILE: &str = "initial.safetensors";
const BATCHES_FILE: &str = "batches.safetensors";

/// Pretrains and fine-tunes from there by the recipes `parity-pretrain` and `parity-finetune` with settings on top of both,
/// and writes what both started from and saw into the folders `pretrain` and `finetune`.
///
/// # Errors
/// As [`pretrain::run`] and [`finetune::run`].
pub fn run(out: &Path, set: &[String]) -> Result<[Summary; 2], Error> {
    let options = |stage: Stage| {
        let folder = out.join(stage.to_string());
        Options { set: set.to_vec(), ..Options::new(format!("parity-{stage}"), folder.join(RUN)) }
    };
    let pretraining = options(Stage::Pretrain);
    let finetuning = Options { init: Some(pretraining.out.clone()), ..options(Stage::Finetune) };
    let pretrained = pretrain::run(&pretraining)?;
    write_pretraining(&pretraining, &out.join(Stage::Pretrain.to_string()))?;
    let finetuned = finetune::run(&finetuning)?;
    write_finetuning(&finetuning, &pretraining.out, &out.join(Stage::Finetune.to_string()))?;
    Ok([pretrained, finetuned])
}

fn write_pretraining(options: &Options, folder: &Path) -> Result<(), Error> {
    let session = Session::new(options, Stage::Pretrain, None)?;
    let config = session.of_recipe(session.recipe.network.selfie(&session.dataset))?;
    save_weights(&pretrain::fresh(&session, &config)?, &folder.join(INITIAL_FILE))?;
    let batches = batches(&session, (0..session.dataset.train.len()).collect())?;
    let masks: Vec<_> = batches
        .iter()
        .map(|batch| pretrain::mask(&config, session.recipe.seed, batch.labels.len(), batch.step))
        .collect();
    let mut arrays = arrays(&session, &batches);
    for (name, cells) in [("masked", config.masked()), ("visible", config.cells() - config.masked())] {
        let places = masks.iter().flat_map(|mask| if name == "masked" { &mask.masked } else { &mask.visible });
        arrays.push(Array::of_integers(
            name,
            [batches.len(), session.recipe.batch_size, cells].into(),
            places.map(|cell| *cell as i64),
        ));
    }
    write(&folder.join(BATCHES_FILE), &arrays)
}

fn write_finetuning(options: &Options, init: &Path, folder: &Path) -> Result<(), Error> {
    let session = Session::new(options, Stage::Finetune, None)?;
    let config = session.of_recipe(session.recipe.network.classifier(&session.dataset))?;
    let init = Start::open(init, &config, &session.device)?;
    let network = finetune::initial(&session, &NetworkConfig::Classifier(config), Some(&init))?;
    save_weights(&network, &folder.join(INITIAL_FILE))?;
    let batches = batches(&session, finetune::labelled(&session)?)?;
    write(&folder.join(BATCHES_FILE), &arrays(&session, &batches))
}

/// The batches of all steps.
fn batches(session: &Session<'_>, indices: Vec<usize>) -> Result<Vec<Batch>, Error> {
    let Recipe { seed, batch_size, steps, augment, .. } = session.recipe;
    let config = LoaderConfig { batch_size, seed, last_step: steps, augment, ..LoaderConfig::default() };
    let loader = Loader::new(session.dataset.clone(), Arc::new(indices), config)?;
    Ok(loader.collect::<Result<_, _>>()?)
}

/// A tensor as a file holds it.
struct Array {
    name: &'static str,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    fn of_integers(name: &'static str, shape: Vec<usize>, values: impl Iterator<Item = i64>) -> Self {
        Self { name, dtype: Dtype::I64, shape, bytes: values.flat_map(i64::to_le_bytes).collect() }
    }
}

fn arrays(session: &Session<'_>, batches: &[Batch]) -> Vec<Array> {
    let (steps, batch, dataset) = (batches.len(), session.recipe.batch_size, &session.dataset);
    let pixels = batches.iter().flat_map(|batch| &batch.images);
    let images = Array {
        name: "images",
        dtype: Dtype::F32,
        shape: vec![steps, batch, dataset.channels, dataset.height, dataset.width],
        bytes: pixels.flat_map(|pixel| pixel.to_le_bytes()).collect(),
    };
    let labels = batches.iter().flat_map(|batch| &batch.labels).map(|label| i64::from(*label));
    vec![images, Array::of_integers("labels", vec![steps, batch], labels)]
}

fn write(path: &Path, arrays: &[Array]) -> Result<(), Error> {
    let views =
        arrays.iter().map(|array| Ok((array.name, TensorView::new(array.dtype, array.shape.clone(), &array.bytes)?)));
    let bytes = views.collect::<Result<Vec<_>, _>>().and_then(|views| safetensors::serialize(views, None));
    let bytes = bytes.map_err(|error| Error::Damaged { path: path.to_owned(), reason: error.to_string() })?;
    Ok(write_atomically(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Answers;
    use crate::run::{METRICS_FILE, metrics};
    use burn::tensor::{Device, Tensor, TensorData};
    use safetensors::SafeTensors;
    use selfie_models::masking::Mask;
    use selfie_models::network::Network;
    use selfie_models::saved::{self, load_weights};

    const SETTINGS: [&str; 6] = [
        "steps=2",
        "warmup_steps=1",
        "batch_size=8",
        "network.preset=tiny",
        "network.stem=strided",
        "network.pooling.heads=4",
    ];

    /// The first step of a tensor, as 4-byte or 8-byte numbers.
    fn first<const N: usize, T>(file: &SafeTensors, name: &str, number: fn([u8; N]) -> T) -> (Vec<usize>, Vec<T>) {
        let view = file.tensor(name).unwrap();
        let numbers: Vec<T> = view.data().as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect();
        let shape = view.shape().to_vec();
        assert_eq!(shape[0], 2, "{name} has the steps first");
        let count = shape[1..].iter().product();
        (shape[1..].to_vec(), numbers.into_iter().take(count).collect())
    }

    #[test]
    fn the_first_loss_follows_from_what_was_written() {
        // Burn's random numbers are one stream for the process, and other tests draw from it: they may disturb a run.
        let differences: Vec<String> = (0..4).map_while(|_| difference()).collect();
        assert!(differences.len() < 4, "{differences:?}");
    }

    /// How the first loss of a run differs from the one that follows from the files beside it.
    fn difference() -> Option<String> {
        let out = tempfile::tempdir().unwrap();
        run(out.path(), &SETTINGS.map(str::to_owned)).unwrap();
        let device = Device::flex().autodiff();
        for stage in ["pretrain", "finetune"] {
            let folder = out.path().join(stage);
            let bytes = std::fs::read(folder.join(BATCHES_FILE)).unwrap();
            let file = SafeTensors::deserialize(&bytes).unwrap();
            let (shape, pixels) = first(&file, "images", f32::from_le_bytes);
            let images = Tensor::<4>::from_data(TensorData::new(pixels, shape), &device);
            let (_, labels) = first(&file, "labels", i64::from_le_bytes);
            let weights = folder.join(INITIAL_FILE);
            let config = saved::load(&folder.join(RUN), &device).unwrap().config;
            let loss = match config.init(99, &device) {
                Network::Selfie(fresh) => {
                    let cells = |name: &str| -> Vec<usize> {
                        first(&file, name, i64::from_le_bytes).1.into_iter().map(|cell| cell as usize).collect()
                    };
                    let mask =
                        Mask { batch: labels.len(), cells: 16, masked: cells("masked"), visible: cells("visible") };
                    pretrain::scores(load_weights(fresh, &weights).unwrap().forward(images, &mask), 0.0).loss
                }
                Network::Classifier(fresh) => {
                    let labels: Vec<i32> = labels.iter().map(|label| *label as i32).collect();
                    let own = Tensor::from_data(TensorData::new(labels.clone(), [labels.len()]), &device);
                    let logits = load_weights(fresh, &weights).unwrap().forward(images).logits;
                    Answers { own, other: None, smoothing: 0.0 }.loss(logits)
                }
            };
            let expected = metrics::read(&folder.join(RUN).join(METRICS_FILE)).unwrap()[0].values["loss"];
            let found = f64::from(loss.into_scalar::<f32>());
            if (found - expected).abs() > 1e-5 {
                return Some(format!("{stage}: {found} is not {expected}"));
            }
        }
        None
    }
}
