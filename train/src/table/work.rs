//! How a cell comes about: a run of its own, or a measurement on frozen embeddings.

use super::TableOptions;
use super::cell::{CellRecord, Subject};
use super::origin::Origin;
use super::plan::{Cell, Plan};
use super::report::GRADIENT;
use super::row::Kind;
use crate::data::{self, Dataset, SplitName};
use crate::digest::sha256_of_dataset;
use crate::evaluate::{self, EvaluateOptions, Frozen};
use crate::{Error, Options, finetune, pretrain};
use burn::tensor::Device;
use selfie_models::digest;
use selfie_models::network::NetworkConfig;
use selfie_models::saved::{self, WEIGHTS_FILE};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Images of a batch in an evaluation.
const BATCH_SIZE: usize = 250;

/// What the cells of a table share.
pub(crate) struct Work<'a> {
    plan: &'a Plan<'a>,
    options: &'a TableOptions,
    dataset: &'a Dataset,
    data_sha256: String,
    device: Device,
    /// Weights of the pretrained runs, by folder.
    pretrained: HashMap<PathBuf, String>,
    /// The latest embeddings, and the network, seed and weights that they are from.
    frozen: Option<(FrozenKey, Frozen<'a>)>,
}

/// Numbers with their names.
type Numbers = Result<Vec<(&'static str, f64)>, Error>;

type FrozenKey = (NetworkConfig, u64, Option<String>);

impl<'a> Work<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, options: &'a TableOptions, dataset: &'a Dataset) -> Result<Self, Error> {
        Ok(Self {
            plan,
            options,
            dataset,
            data_sha256: sha256_of_dataset(dataset),
            device: selfie_models::device::open(&options.device)?,
            pretrained: HashMap::new(),
            frozen: None,
        })
    }

    /// Does what is left to do for a cell, and gives its numbers.
    pub(crate) fn cell(&mut self, cell: Cell<'_>) -> Result<CellRecord, Error> {
        let init = match cell.row.is_pretrained() {
            true => Some(self.pretrain(cell)?),
            false => None,
        };
        let weights_sha256 = match cell.row.kind() {
            Kind::Trained => {
                let options = Options { init, ..self.plan.finetuning(cell) };
                finetune::run(&options)?;
                Some(digest::of_file(&options.out.join(WEIGHTS_FILE))?)
            }
            Kind::Probe | Kind::Neighbours => init.and_then(|run| self.pretrained.get(&run).cloned()),
        };
        let subject = Subject {
            row: cell.row,
            labels: cell.part.part,
            seed: cell.seed,
            data_sha256: self.data_sha256.clone(),
            network: self.plan.network(cell, self.dataset)?,
            weights_sha256,
        };
        match CellRecord::read(&self.options.out, cell)? {
            Some(earlier) if earlier.subject == subject => Ok(earlier),
            _ => {
                let metrics = match cell.row.kind() {
                    Kind::Trained => self.evaluate(&self.plan.finetuning(cell).out)?,
                    Kind::Probe => self.measure(cell, &subject, |frozen, indices| {
                        let (accuracy, gradient) = frozen.probe(indices)?;
                        Ok(vec![("accuracy", accuracy), (GRADIENT, gradient)])
                    })?,
                    Kind::Neighbours => self.measure(cell, &subject, |frozen, indices| {
                        Ok(vec![("accuracy", frozen.neighbours(indices)?)])
                    })?,
                };
                let origin = match cell.row.kind() {
                    Kind::Trained => None,
                    Kind::Probe | Kind::Neighbours => Some(Origin::of_this(&self.options.device)),
                };
                let record = CellRecord { subject, metrics, origin };
                record.write(&self.options.out, cell)?;
                Ok(record)
            }
        }
    }

    /// The folder of the finished pretraining that a cell starts from.
    fn pretrain(&mut self, cell: Cell<'_>) -> Result<PathBuf, Error> {
        let options = self.plan.pretraining(cell);
        if !self.pretrained.contains_key(&options.out) {
            pretrain::run(&options)?;
            let weights = digest::of_file(&options.out.join(WEIGHTS_FILE))?;
            self.pretrained.insert(options.out.clone(), weights);
        }
        Ok(options.out)
    }

    /// Numbers of a finished run on the test images.
    fn evaluate(&self, run: &Path) -> Result<BTreeMap<String, f64>, Error> {
        let evaluation = evaluate::run(&EvaluateOptions {
            run: run.to_owned(),
            data: None,
            split: SplitName::Test,
            device: self.options.device.clone(),
            batch_size: BATCH_SIZE,
            neighbours: Vec::new(),
            noise: false,
        })?;
        let numbers = [
            ("accuracy", evaluation.accuracy),
            ("loss", evaluation.loss),
            ("calibration_error", evaluation.calibration_error),
        ];
        Ok(numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?))).collect())
    }

    /// The numbers that the embeddings of a network as it is give with some labels.
    fn measure(
        &mut self,
        cell: Cell<'_>,
        subject: &Subject,
        numbers: fn(&Frozen<'a>, &[usize]) -> Numbers,
    ) -> Result<BTreeMap<String, f64>, Error> {
        let Subject { network, weights_sha256, labels, seed, .. } = subject;
        let indices = data::stratified(&self.dataset.train.labels, *labels, *seed)?;
        let key = (network.clone(), *seed, weights_sha256.clone());
        let frozen = match self.frozen.take() {
            Some((known, frozen)) if known == key => frozen,
            _ => {
                let network = match weights_sha256 {
                    Some(_) => saved::load(&self.plan.pretraining(cell).out, &self.device)?.network,
                    None => evaluate::untrained(network, *seed, &self.device),
                };
                Frozen::of(&network, self.dataset, &self.dataset.test, BATCH_SIZE, &self.device)?
            }
        };
        let numbers = numbers(&frozen, &indices)?;
        self.frozen = Some((key, frozen));
        Ok(numbers.into_iter().map(|(name, number)| (name.to_owned(), number)).collect())
    }
}
