//! From options to a finished run folder, as pretraining and fine-tuning share it.

use crate::checkpoint::{State, Window};
use crate::data::{self, Dataset};
use crate::digest::sha256_of_dataset;
use crate::engine::{self, Plan, Task, Trained};
use crate::run::{InitRecord, METRICS_FILE, RUN_FILE, RunFolder, RunRecord, metrics, source_revision, unix_seconds};
use crate::seeds::{self, Purpose};
use crate::{Error, Options, Recipe, Stage, Summary, cards, report};
use burn::tensor::Device;
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::saved;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Damaged images that are named one by one.
const NAMED_SKIPPED: usize = 10;

/// What is known before the run folder is touched.
pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    pub(crate) recipe: Recipe,
    pub(crate) dataset: Arc<Dataset>,
    /// With automatic differentiation.
    pub(crate) device: Device,
    data_sha256: String,
}

/// A run folder that is ready for training, or one that holds a finished run.
pub(crate) enum Opened {
    Ready(Box<Ready>),
    Finished(Box<Summary>),
}

/// A run folder that is ready for training.
pub(crate) struct Ready {
    pub(crate) folder: RunFolder,
    record: RunRecord,
}

impl<'a> Session<'a> {
    pub(crate) fn new(options: &'a Options, stage: Stage) -> Result<Self, Error> {
        let recipe = options.resolve(stage)?;
        let device = selfie_models::device::open(&options.device)?.autodiff();
        let dataset = Arc::new(data::open_with(&recipe.data, &recipe.images)?);
        if !options.quiet {
            say_what_is_left_out(&dataset);
        }
        let data_sha256 = sha256_of_dataset(&dataset);
        Ok(Self { options, recipe, dataset, device, data_sha256 })
    }

    /// Says where a wrong network comes from.
    pub(crate) fn of_recipe<C>(&self, config: Result<C, selfie_models::Error>) -> Result<C, Error> {
        config.map_err(|error| Error::Recipe { origin: self.options.recipe.clone(), reason: error.to_string() })
    }

    /// A network with fresh weights.
    pub(crate) fn fresh(&self, config: &NetworkConfig) -> Network {
        config.init(seeds::number(self.recipe.seed, Purpose::Weights, 0), &self.device)
    }

    /// What an earlier start in the run folder recorded, if it is to be resumed.
    pub(crate) fn earlier(&self) -> Result<Option<RunRecord>, Error> {
        let path = self.options.out.join(RUN_FILE);
        (self.options.resume && path.exists()).then(|| crate::run::read_json(&path)).transpose()
    }

    /// Opens the run folder and writes what is known about the run.
    pub(crate) fn open(&self, init: Option<InitRecord>) -> Result<Opened, Error> {
        let earlier = self.earlier()?;
        let folder = RunFolder::open(&self.options.out, self.options.resume)?;
        if let Some(recipe) = folder.recipe()? {
            self.check_recipe(&recipe)?;
        }
        if let Some(earlier) = &earlier {
            self.check_init(earlier.init.as_ref(), init.as_ref())?;
            if earlier.finished_unix_s.is_some() {
                return Ok(Opened::Finished(Box::new(self.summary(earlier))));
            }
        }
        let record = RunRecord {
            stage: self.recipe.stage,
            recipe: self.recipe.name.clone(),
            seed: self.recipe.seed,
            crate_version: env!("CARGO_PKG_VERSION").into(),
            source_revision: source_revision().into(),
            command: std::env::args().collect(),
            device: self.options.device.clone(),
            data: self.recipe.data.clone(),
            data_sha256: self.data_sha256.clone(),
            skipped_images: self.dataset.skipped.len(),
            init,
            started_unix_s: earlier.map_or_else(unix_seconds, |earlier| earlier.started_unix_s),
            finished_unix_s: None,
            seconds: None,
            metrics: BTreeMap::new(),
        };
        folder.write_recipe(&self.recipe)?;
        folder.write_json(RUN_FILE, &record)?;
        Ok(Opened::Ready(Box::new(Ready { folder, record })))
    }

    /// Trains, and writes the network, its card and the record of the run.
    pub(crate) fn train<T: Task>(
        &self,
        ready: Box<Ready>,
        task: &T,
        network: T::Network,
        config: &NetworkConfig,
        indices: Vec<usize>,
    ) -> Result<Summary, Error> {
        let Ready { folder, mut record } = *ready;
        let plan = Plan {
            recipe: &self.recipe,
            folder: &folder,
            device: self.device.clone(),
            dataset: self.dataset.clone(),
            indices: Arc::new(indices),
            identity: State {
                step: 0,
                seconds: 0.0,
                window: Window::default(),
                recipe: self.recipe.clone(),
                network: config.clone(),
                data_sha256: self.data_sha256.clone(),
                files: BTreeMap::new(),
            },
            started_unix_s: record.started_unix_s,
            quiet: self.options.quiet,
        };
        let Trained { network, seconds, metrics } = engine::train(&plan, task, network)?;
        record.metrics = metrics;
        record.seconds = Some(seconds);
        record.finished_unix_s = Some(unix_seconds());
        let card = cards::card(&self.recipe, &self.dataset, config, &record);
        let network = T::wrap(network);
        saved::save(folder.path(), &card, config, &network)?;
        folder.write_json(RUN_FILE, &record)?;
        let trained = report::Trained { network: &network, config, device: self.device.clone().inner() };
        let lines = metrics::read(&folder.file(METRICS_FILE))?;
        let subject = report::Subject::new(&self.recipe, &record, &lines, &record.data, &self.dataset, Some(trained))?;
        report::write(folder.path(), &subject)?;
        Ok(self.summary(&record))
    }

    fn check_recipe(&self, earlier: &Recipe) -> Result<(), Error> {
        let differences: Vec<String> = (earlier.differences(&self.recipe).into_iter())
            .filter(|(key, ..)| !Recipe::FREE_ON_RESUME.contains(&key.as_str()))
            .map(|(key, was, now)| format!("{key} was {was}, now {now}"))
            .collect();
        if differences.is_empty() {
            return Ok(());
        }
        let reason = format!("it holds a run of another recipe: {}", differences.join("; "));
        Err(Error::Run { path: self.options.out.clone(), reason })
    }

    fn check_init(&self, earlier: Option<&InitRecord>, now: Option<&InitRecord>) -> Result<(), Error> {
        let weights = |init: Option<&InitRecord>| init.map(|init| init.weights_sha256.clone());
        if weights(earlier) == weights(now) {
            return Ok(());
        }
        let name = |init: Option<&InitRecord>| match init {
            Some(init) => format!("{} (weights {})", init.path.display(), &init.weights_sha256),
            None => "scratch".to_owned(),
        };
        let reason = format!("it holds a run that started from {}, not from {}", name(earlier), name(now));
        Err(Error::Run { path: self.options.out.clone(), reason })
    }

    fn summary(&self, record: &RunRecord) -> Summary {
        Summary {
            stage: self.recipe.stage,
            run: self.options.out.clone(),
            steps: self.recipe.steps,
            seconds: record.seconds.unwrap_or_default(),
            images_per_second: record.metrics.get("images_per_second").copied().unwrap_or_default(),
            metrics: record.metrics.clone(),
        }
    }
}

/// Says which damaged images were left out, and whether images are decoded anew for every batch.
fn say_what_is_left_out(dataset: &Dataset) {
    for skipped in dataset.skipped.iter().take(NAMED_SKIPPED) {
        eprintln!("left out {}: {}", skipped.image, skipped.reason);
    }
    if !dataset.skipped.is_empty() {
        eprintln!("{} damaged images of {} are left out", dataset.skipped.len(), dataset.name);
    }
    if dataset.train.is_streamed() {
        let images = dataset.train.len();
        eprintln!("{images} images are more than images.memory_mb holds; they are decoded anew for every batch");
    }
}
