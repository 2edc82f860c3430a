//! How a cell comes about: a run of its own, or a measurement on frozen embeddings.

use super::TableOptions;
use super::cell::{CellRecord, Subject};
use super::origin::Origin;
use super::plan::{Cell, Plan};
use super::report::GRADIENT;
use super::row::Kind;
use crate::at_hand::AtHand;
use crate::data::{self, SplitName};
use crate::evaluate::{self, EvaluateOptions, Frozen};
use crate::{Error, Options, Recipe, finetune, pretrain};
use burn::tensor::Device;
use selfie_models::device::{names, open_all};
use selfie_models::digest;
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::saved::{self, WEIGHTS_FILE};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Images of a batch in an evaluation.
const BATCH_SIZE: usize = 250;

/// What the cells of a table share.
pub(crate) struct Work<'a> {
    plan: &'a Plan<'a>,
    options: &'a TableOptions,
    at_hand: &'a AtHand,
    /// The first one, for all that is not training.
    device: Device,
    /// Weights of the pretrained runs, by folder.
    pretrained: HashMap<PathBuf, String>,
    /// The latest embeddings, and what they are from.
    frozen: Option<(FrozenKey, Frozen<'a>)>,
}

/// Numbers with their names.
type Numbers = Result<Vec<(&'static str, f64)>, Error>;

/// The network, its seed, its weights, and the batches that estimated its statistics anew.
type FrozenKey = (NetworkConfig, u64, Option<String>, u64);

impl<'a> Work<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, options: &'a TableOptions, at_hand: &'a AtHand) -> Result<Self, Error> {
        Ok(Self {
            plan,
            options,
            at_hand,
            device: open_all(&options.device)?.swap_remove(0),
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
                finetune::run_on(&options, Some(self.at_hand))?;
                Some(digest::of_file(&options.out.join(WEIGHTS_FILE))?)
            }
            Kind::Probe | Kind::Neighbours => init.and_then(|run| self.pretrained.get(&run).cloned()),
        };
        let subject = Subject {
            row: cell.row,
            labels: cell.part.part,
            seed: cell.seed,
            data_sha256: self.at_hand.sha256.clone(),
            network: self.plan.network(cell, &self.at_hand.dataset)?,
            weights_sha256,
            norm_batches: if cell.row.kind() == Kind::Trained { 0 } else { cell.variant.norm_batches },
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
            pretrain::run_on(&options, Some(self.at_hand))?;
            let weights = digest::of_file(&options.out.join(WEIGHTS_FILE))?;
            self.pretrained.insert(options.out.clone(), weights);
        }
        Ok(options.out)
    }

    /// Numbers of a finished run on the test images.
    fn evaluate(&self, run: &Path) -> Result<BTreeMap<String, f64>, Error> {
        let options = EvaluateOptions {
            run: run.to_owned(),
            data: None,
            split: SplitName::Test,
            device: names(&self.options.device).take(1).collect(),
            batch_size: BATCH_SIZE,
            neighbours: Vec::new(),
            noise: false,
        };
        let evaluation = evaluate::run_on(&options, Some(self.at_hand))?;
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
        let Subject { network, weights_sha256, labels, seed, norm_batches, .. } = subject;
        let dataset = &self.at_hand.dataset;
        let indices = data::stratified(&dataset.train.labels, *labels, *seed)?;
        let key = (network.clone(), *seed, weights_sha256.clone(), *norm_batches);
        let frozen = match self.frozen.take() {
            Some((known, frozen)) if known == key => frozen,
            _ => {
                let network = self.network(cell, subject)?;
                Frozen::of(&network, dataset, &dataset.test, BATCH_SIZE, &self.device)?
            }
        };
        let numbers = numbers(&frozen, &indices)?;
        self.frozen = Some((key, frozen));
        Ok(numbers.into_iter().map(|(name, number)| (name.to_owned(), number)).collect())
    }

    /// The network whose embeddings a cell is about.
    fn network(&self, cell: Cell<'_>, subject: &Subject) -> Result<Network, Error> {
        let on = |device: &Device| match subject.weights_sha256 {
            Some(_) => Ok(saved::load(&self.plan.pretraining(cell).out, device)?.network),
            None => Ok(evaluate::untrained(&subject.network, subject.seed, device)),
        };
        if subject.norm_batches == 0 {
            return on(&self.device);
        }
        let [pretrain, _] = self.plan.recipes(cell)?;
        let recipe = Recipe { norm_batches: subject.norm_batches, ..pretrain };
        let device = self.device.clone().autodiff();
        let parts = recipe.parts(names(&self.options.device).count());
        evaluate::renewed(on(&device)?, &recipe, parts, &self.at_hand.dataset, &device)
    }
}
