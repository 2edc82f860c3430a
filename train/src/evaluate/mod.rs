//! Evaluation of a finished run on a split of a data set, usually the test split.
//!
//! | module | what it answers |
//! |---|---|
//! | `outputs` | what the network gives for every image |
//! | `confusion`, `calibration`, `noise` | which class was taken for which, whether it knows how sure it may be, and what noise does |
//! | `nearest`, `retrieval`, `neighbours` | which embeddings lie together, and whether their classes agree |
//! | `frozen`, `probe`, `renewed` | what can be read from embeddings without training the network any further |

mod calibration;
mod confusion;
mod frozen;
mod nearest;
mod neighbours;
mod noise;
mod outputs;
mod probe;
mod renewed;
mod retrieval;

pub use confusion::{Confusion, Found};
pub(crate) use frozen::Frozen;
pub use neighbours::{NEIGHBOURS, TEMPERATURE};
pub use noise::{Noisy, SIGMAS};
pub(crate) use outputs::rows_of as logits_of;
pub use probe::{PENALTY, STEPS as PROBE_STEPS, TOLERANCE as PROBE_TOLERANCE};
pub(crate) use renewed::renewed;
pub use retrieval::Recall;

use crate::at_hand::AtHand;
use crate::data::{DataError, Dataset, Reading, SplitName};
use crate::run::{RECIPE_FILE, recipe_of};
use crate::{Error, seeds};
use burn::tensor::Device;
use calibration::expected_calibration_error;
use outputs::outputs_of;
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::saved::{self, Saved};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What an evaluation is asked for.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// Folder of a finished run.
    pub run: PathBuf,
    /// Data set instead of the one that the run was trained on.
    pub data: Option<String>,
    /// The images to evaluate on.
    pub split: SplitName,
    /// Device, as [`selfie_models::device::open`] takes it.
    pub device: String,
    /// Images of a batch.
    pub batch_size: usize,
    /// Numbers of nearest neighbours among the embeddings of the training split that vote; none where none is asked for.
    pub neighbours: Vec<usize>,
    /// Whether to measure with noise on the pixels as well.
    pub noise: bool,
}

/// What an evaluation gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Folder of the run.
    pub run: PathBuf,
    /// Data set.
    pub data: String,
    /// Images of the split.
    pub images: usize,
    /// Accuracy of the class scores, where the network gives some.
    pub accuracy: Option<f64>,
    /// Mean cross-entropy of the class scores, where the network gives some.
    pub loss: Option<f64>,
    /// Expected calibration error of the class scores, where the network gives some: over 15 bins of confidence, the
    /// gap between confidence and accuracy.
    pub calibration_error: Option<f64>,
    /// Scores of each class, where the network gives some.
    pub classes: Vec<ClassScore>,
    /// Images by right class (row) and found class (column), where the network gives class scores.
    pub confusion: Vec<Vec<u64>>,
    /// Nearest neighbours, for every number of them that was asked for.
    pub neighbours: Vec<Neighbours>,
    /// The class scores with noise on the pixels, where they were asked for.
    pub noise: Vec<Noisy>,
    /// How often the nearest other embeddings of the split hold one of the same class; empty for data without labels.
    pub retrieval: Vec<Recall>,
    /// The same with the network before any training, the floor, where nearest neighbours were asked for.
    pub retrieval_untrained: Vec<Recall>,
    /// Seconds of the evaluation.
    pub seconds: f64,
}

/// How well one class is recognised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Name of the class.
    pub label: String,
    /// Images of the class.
    pub images: u64,
    /// Part of them that is recognised: recall.
    pub accuracy: f64,
    /// Part of what is taken for the class that is of it; 0 where nothing is.
    pub precision: f64,
    /// Harmonic mean of recall and precision.
    pub f1: f64,
}

/// Accuracy of weighted nearest neighbours among all training images with their labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    /// Neighbours that vote.
    pub k: usize,
    /// T in the weight exp(cosine / T) of a vote.
    pub temperature: f64,
    /// Accuracy with the run's embeddings.
    pub accuracy: f64,
    /// Accuracy with the same network before any training: the floor.
    pub untrained_accuracy: f64,
}

/// Evaluates a finished run on a split of a data set.
///
/// # Errors
/// [`Error`] says what is wrong with the run folder or the data, or how they do not fit each other.
pub fn run(options: &EvaluateOptions) -> Result<Evaluation, Error> {
    run_on(options, None)
}

/// As [`run`], on a data set that is at hand.
pub(crate) fn run_on(options: &EvaluateOptions, at_hand: Option<&AtHand>) -> Result<Evaluation, Error> {
    let started = Instant::now();
    let device = selfie_models::device::open(&options.device)?;
    let saved = saved::load(&options.run, &device)?;
    let spec = match &options.data {
        Some(spec) => spec.clone(),
        None => data_of(&options.run)?,
    };
    let AtHand { dataset, .. } = AtHand::or_open(at_hand, &spec, &reading_of(&options.run, &saved)?)?;
    check(&saved, &dataset).map_err(|reason| Error::Evaluate { path: options.run.clone(), reason })?;
    let split = dataset.split(options.split);
    if split.is_empty() {
        let reason = format!("{} has no {} images", dataset.name, options.split);
        return Err(Error::Evaluate { path: options.run.clone(), reason });
    }
    let batch_size = options.batch_size.max(1);
    let classes = dataset.labels.len();
    let outputs = outputs_of(&dataset, split, batch_size, &device, |images| saved.network.forward(images))?;
    let logits = outputs.get(1);
    let confusion = logits.map(|logits| Confusion::of(logits, &split.labels, classes));
    let retrieval = match outputs.first() {
        Some(embeddings) if classes > 0 => retrieval::recalls(embeddings, &split.labels)?,
        _ => Vec::new(),
    };
    let (neighbours, retrieval_untrained) = match &options.neighbours[..] {
        [] => (Vec::new(), Vec::new()),
        _ if classes == 0 => return Err(DataError::Unlabelled { name: dataset.name.clone() }.into()),
        numbers => {
            let all: Vec<usize> = (0..dataset.train.len()).collect();
            let frozen = |network: &Network| Frozen::of(network, &dataset, split, batch_size, &device);
            let (own, fresh) =
                (frozen(&saved.network)?, frozen(&untrained(&saved.config, saved.card.provenance.seed, &device))?);
            let of = |k: usize| -> Result<Neighbours, Error> {
                let (accuracy, untrained_accuracy) = (own.vote(&all, k)?, fresh.vote(&all, k)?);
                Ok(Neighbours { k, temperature: TEMPERATURE, accuracy, untrained_accuracy })
            };
            (numbers.iter().map(|k| of(*k)).collect::<Result<_, _>>()?, fresh.recalls()?)
        }
    };
    let noise = match options.noise {
        true if logits.is_none() => {
            let reason = "noise is measured by class scores, and it has none; name a fine-tuned run".into();
            return Err(Error::Evaluate { path: options.run.clone(), reason });
        }
        true => noise::measure(&dataset, split, batch_size, &device, |images| saved.network.forward(images))?,
        false => Vec::new(),
    };
    Ok(Evaluation {
        run: options.run.clone(),
        data: spec,
        images: split.len(),
        accuracy: confusion.as_ref().map(Confusion::accuracy),
        loss: confusion.as_ref().map(|confusion| confusion.loss),
        calibration_error: logits.map(|logits| expected_calibration_error(logits, &split.labels)),
        classes: confusion.as_ref().map_or(Vec::new(), |confusion| class_scores(confusion, &dataset.labels)),
        confusion: confusion.map_or(Vec::new(), |confusion| confusion.counts),
        neighbours,
        noise,
        retrieval,
        retrieval_untrained,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// The network as a run of a seed begins with it.
pub(crate) fn untrained(config: &NetworkConfig, seed: u64, device: &Device) -> Network {
    config.init(seeds::number(seed, seeds::Purpose::Weights, 0), device)
}

fn data_of(run: &Path) -> Result<String, Error> {
    if !run.join(RECIPE_FILE).exists() {
        let reason = format!("it has no {RECIPE_FILE} that names a data set; add --data");
        return Err(Error::Evaluate { path: run.to_owned(), reason });
    }
    Ok(recipe_of(run)?.data)
}

/// As the run read its images; those of a network without a recipe become as large as its inputs.
fn reading_of(run: &Path, saved: &Saved) -> Result<Reading, Error> {
    if run.join(RECIPE_FILE).exists() {
        return Ok(recipe_of(run)?.images);
    }
    let [height, width] = saved.config.image_size();
    let channels = Some(saved.config.resnet().channels);
    Ok(Reading { size: (height == width).then_some(height), channels, ..Reading::default() })
}

/// Whether a network can take the images of a data set, and whether its class scores are for the data set's classes.
pub(crate) fn check(saved: &Saved, dataset: &Dataset) -> Result<(), String> {
    let [height, width] = saved.config.image_size();
    let wanted = (saved.config.resnet().channels, height, width);
    let found = (dataset.channels, dataset.height, dataset.width);
    if wanted != found {
        return Err(format!(
            "its images are {wanted:?} (channels, height, width), those of {} {found:?}",
            dataset.name
        ));
    }
    match &saved.card.outputs.logits {
        Some(logits) if logits.labels != dataset.labels => {
            let (known, Dataset { name, labels, .. }) = (&logits.labels, dataset);
            Err(format!(
                "its classes are {known:?}, those of {name} {labels:?}; name a data set of its classes with --data"
            ))
        }
        _ => Ok(()),
    }
}

fn class_scores(confusion: &Confusion, labels: &[String]) -> Vec<ClassScore> {
    let score = |(label, found): (&String, Found)| {
        let Found { images, recall, precision, f1 } = found;
        ClassScore { label: label.clone(), images, accuracy: recall, precision, f1 }
    };
    labels.iter().zip(confusion.per_class()).map(score).collect()
}

#[cfg(test)]
mod tests;
