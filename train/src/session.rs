//! From options to a finished run folder, as pretraining and fine-tuning share it.

use crate::at_hand::AtHand;
use crate::checkpoint::{State, Window};
use crate::course::Course;
use crate::data::{Dataset, Split};
use crate::engine::{self, Plan, Task, Trained};
use crate::layers::check_frozen;
use crate::run::{
    AVERAGE_FOLDER, ChangeRecord, InitRecord, METRICS_FILE, RUN_FILE, RunFolder, RunRecord, metrics, source_revision,
    unix_seconds, write_recipe,
};
use crate::seeds::{self, Purpose};
use crate::{Error, Options, Recipe, Stage, Summary, cards, report, validation};
use burn::tensor::Device;
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::{device, saved};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Damaged images that are named one by one.
const NAMED_SKIPPED: usize = 10;

/// What is known before the run folder is touched.
pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    pub(crate) recipe: Recipe,
    pub(crate) dataset: Arc<Dataset>,
    /// The first device, with automatic differentiation.
    pub(crate) device: Device,
    /// All devices that train.
    pub(crate) devices: Vec<Device>,
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

/// All that a run needs beside its folder.
pub(crate) struct Prepared<'a, T: Task> {
    pub(crate) session: Session<'a>,
    pub(crate) task: T,
    pub(crate) network: T::Network,
    pub(crate) config: NetworkConfig,
    /// Training images that are used.
    pub(crate) indices: Vec<usize>,
    /// The images by which the best step is found, if one is looked for.
    pub(crate) validation: Option<Split>,
}

impl<'a> Session<'a> {
    /// Resolves the recipe and opens its data set, where it is not at hand.
    pub(crate) fn new(options: &'a Options, stage: Stage, at_hand: Option<&AtHand>) -> Result<Self, Error> {
        let recipe = options.resolve(stage)?;
        let devices = open_devices(options, &recipe)?;
        let AtHand { dataset, sha256: data_sha256, .. } = AtHand::or_open(at_hand, &recipe.data, &recipe.images)?;
        if !options.quiet {
            say_what_is_left_out(&dataset);
        }
        Ok(Self { options, recipe, dataset, device: devices[0].clone(), devices, data_sha256 })
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
        let diverged_at = earlier.as_ref().and_then(|earlier| earlier.diverged_at);
        let mut changes = earlier.as_ref().map(|earlier| earlier.changes.clone()).unwrap_or_default();
        if let Some(recipe) = folder.recipe()? {
            changes.extend(self.check_recipe(&recipe, diverged_at)?);
        }
        if let Some(earlier) = &earlier {
            self.check_init(earlier.init.as_ref(), init.as_ref())?;
            if earlier.finished_unix_s.is_some() {
                return Ok(Opened::Finished(Box::new(self.summary(earlier))));
            }
            self.check_devices(&earlier.device)?;
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
            steps: None,
            diverged_at: None,
            changes,
            finished_unix_s: None,
            seconds: None,
            metrics: BTreeMap::new(),
        };
        write_recipe(folder.path(), &self.recipe)?;
        folder.write_json(RUN_FILE, &record)?;
        Ok(Opened::Ready(Box::new(Ready { folder, record })))
    }

    /// Checks what only the network and the images can say, and divides the images.
    pub(crate) fn prepare<T: Task>(
        self,
        task: T,
        network: T::Network,
        config: NetworkConfig,
        indices: Vec<usize>,
    ) -> Result<Prepared<'a, T>, Error> {
        let wrong = |reason: String| Error::Recipe { origin: self.options.recipe.clone(), reason };
        check_frozen(&network, &self.recipe.freeze).map_err(wrong)?;
        let (indices, validation) = validation::divide(&self.recipe, &self.dataset, indices).map_err(wrong)?;
        self.recipe.loading(0..self.recipe.steps).check(&self.dataset, &indices)?;
        Ok(Prepared { session: self, task, network, config, indices, validation })
    }

    /// Refuses another recipe, and gives what was changed in it because the run has diverged.
    fn check_recipe(&self, earlier: &Recipe, diverged_at: Option<u64>) -> Result<Vec<ChangeRecord>, Error> {
        let (mut differences, mut changes) = (Vec::new(), Vec::new());
        for (key, was, now) in earlier.differences(&self.recipe) {
            match diverged_at {
                Some(diverged_at) if Recipe::is_free_after_divergence(&key) => {
                    changes.push(ChangeRecord { diverged_at, key, was, now });
                }
                _ if self.recipe.is_free_on_resume(&key) => {}
                _ => differences.push(format!("{key} was {was}, now {now}")),
            }
        }
        if differences.is_empty() {
            return Ok(changes);
        }
        let reason = format!("it holds a run of another recipe: {}", differences.join("; "));
        Err(Error::Run { path: self.options.out.clone(), reason })
    }

    /// Refuses another number of devices, which would divide batches into other parts.
    fn check_devices(&self, earlier: &str) -> Result<(), Error> {
        let (was, now) = (device::names(earlier).count(), self.devices.len());
        if was == now {
            return Ok(());
        }
        let reason = format!(
            "it holds a run on {was} devices ({earlier}), and --device names {now}: parts of a batch decide the run, as \
             accumulate does; name {was}, a device as often as it is to take a part"
        );
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
            steps: record.steps.unwrap_or(self.recipe.steps),
            seconds: record.seconds.unwrap_or_default(),
            images_per_second: record.metrics.get("images_per_second").copied().unwrap_or_default(),
            metrics: record.metrics.clone(),
        }
    }
}

impl<T: Task> Prepared<'_, T> {
    /// Trains, and writes the network, its card and the record of the run.
    pub(crate) fn train(self, ready: Box<Ready>) -> Result<Summary, Error> {
        let Ready { folder, mut record } = *ready;
        let Self { session, task, network, config, indices, validation } = self;
        let changed: Vec<String> = record.changes.iter().map(|change| change.key.clone()).collect();
        let plan = Plan {
            recipe: &session.recipe,
            folder: &folder,
            devices: session.devices.clone(),
            dataset: session.dataset.clone(),
            indices: Arc::new(indices),
            validation,
            changed: &changed,
            identity: State {
                step: 0,
                seconds: 0.0,
                window: Window::default(),
                best: None,
                course: Course::default(),
                recipe: session.recipe.clone(),
                network: config.clone(),
                data_sha256: session.data_sha256.clone(),
                files: BTreeMap::new(),
            },
            started_unix_s: record.started_unix_s,
            quiet: session.options.quiet,
        };
        let trained = engine::train(&plan, &task, network);
        if let Err(Error::Diverged { step, .. }) = &trained {
            record.diverged_at = Some(*step);
            folder.write_json(RUN_FILE, &record)?;
        }
        let Trained { network, average, step, seconds, metrics } = trained?;
        record.steps = Some(step);
        record.seconds = Some(seconds);
        record.finished_unix_s = Some(unix_seconds());
        let unwritten = |error: Error| engine::unwritten(error, &folder, step);
        if let Some((network, metrics)) = average {
            let path = folder.file(AVERAGE_FOLDER);
            let record = RunRecord { metrics, ..record.clone() };
            let card = cards::card(&session.recipe, &session.dataset, &config, &record);
            let saved = saved::save(&path, &card, &config, &T::wrap(network)).map_err(Error::from);
            saved.and_then(|()| write_recipe(&path, &session.recipe)).map_err(unwritten)?;
        }
        record.metrics = metrics;
        let card = cards::card(&session.recipe, &session.dataset, &config, &record);
        let network = T::wrap(network);
        saved::save(folder.path(), &card, &config, &network).map_err(|error| unwritten(error.into()))?;
        folder.write_json(RUN_FILE, &record).map_err(unwritten)?;
        let trained = report::Trained { network: &network, config: &config, device: session.device.clone().inner() };
        let lines = metrics::read(&folder.file(METRICS_FILE))?;
        let Session { recipe, dataset, .. } = &session;
        let subject = report::Subject::new(recipe, &record, &lines, &record.data, dataset, Some(trained))?;
        report::write(folder.path(), &subject).map_err(unwritten)?;
        Ok(session.summary(&record))
    }
}

/// The devices that train, with automatic differentiation, where they can do what the recipe asks for.
fn open_devices(options: &Options, recipe: &Recipe) -> Result<Vec<Device>, Error> {
    let devices = device::open_all(&options.device)?;
    let wrong = |reason: String| Error::Recipe { origin: options.recipe.clone(), reason };
    recipe.check_devices(devices.len()).map_err(wrong)?;
    let cannot = |(_, device): &(&str, &Device)| !device.supports_dtype(recipe.precision.dtype());
    if let Some((name, _)) = device::names(&options.device).zip(&devices).find(cannot) {
        return Err(wrong(format!("precision is {}, but {name} does not compute in it; take f32", recipe.precision)));
    }
    Ok(devices.into_iter().map(Device::autodiff).collect())
}

/// Says which damaged images were left out, and whether images are decoded anew for every batch.
fn say_what_is_left_out(dataset: &Dataset) {
    dataset.notices.iter().for_each(|notice| eprintln!("{notice}"));
    for skipped in dataset.skipped.iter().take(NAMED_SKIPPED) {
        eprintln!("left out {}: {}", skipped.image, skipped.reason);
    }
    if !dataset.skipped.is_empty() {
        eprintln!("{} damaged images of {} are left out", dataset.skipped.len(), dataset.name);
    }
    let images = dataset.train.len();
    if dataset.train.has_originals() {
        eprintln!("{images} images are decoded anew for every batch, so that parts are cut out of the originals");
    } else if dataset.train.is_streamed() {
        eprintln!("{images} images are more than images.memory_mb holds; they are decoded anew for every batch");
    }
}
