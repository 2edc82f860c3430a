//! The metrics of one version of a model: a handle that is cheap to clone.

use super::requests::Tracked;
use super::{Families, ShadowOutcome, Stage, Statistics};
use std::sync::Arc;
use std::time::Duration;

/// The metrics of one version of a model. They go with the last handle.
#[derive(Clone)]
pub struct ModelMetrics {
    held: Arc<Held>,
    statistics: Arc<Statistics>,
}

/// A version that has metrics as long as this is there.
struct Held {
    families: Arc<Families>,
    version: [String; 2],
}

impl Drop for Held {
    fn drop(&mut self) {
        self.families.versions.release(&self.version);
    }
}

impl ModelMetrics {
    pub(super) fn new(families: Arc<Families>, name: &str, version: u64) -> Self {
        let version = [name.to_owned(), version.to_string()];
        families.versions.hold(&version);
        Self { held: Arc::new(Held { families, version }), statistics: Arc::default() }
    }

    /// The model and its version.
    pub(crate) fn labels(&self) -> [&str; 2] {
        self.held.version.each_ref().map(String::as_str)
    }

    fn families(&self) -> &Families {
        &self.held.families
    }

    /// A batch of `items` ran for `took`.
    pub fn batch(&self, items: usize, took: Duration) {
        self.families().items.done(&self.labels(), items);
        self.families().batches.observe(&self.labels(), items);
        self.statistics.batch(items, took);
        self.stage(Stage::Infer, took);
    }

    /// A batch was put together whose first item had waited for `waited`.
    pub fn batch_waited(&self, waited: Duration) {
        self.families().batches.waited(&self.labels(), waited);
    }

    /// `items` were filled up to a batch of `rows`.
    pub fn padding(&self, items: usize, rows: usize) {
        self.families().padding.observe(&self.labels(), items, rows);
    }

    /// A batch failed.
    pub fn failed_batch(&self) {
        self.families().batches.failed(&self.labels());
    }

    /// An item was skipped because it had waited too long.
    pub fn expired(&self) {
        self.families().items.expired(&self.labels());
    }

    /// An item was skipped because its caller had left.
    pub fn canceled(&self) {
        self.families().items.canceled(&self.labels());
    }

    /// A request, an item or a batch spent `took` in `stage`.
    pub fn stage(&self, stage: Stage, took: Duration) {
        self.families().stages.observe(&self.labels(), stage, took);
        self.statistics.stage(stage, took);
    }

    /// The items of a request, all of them together, spent `took` in `stage`.
    pub fn request_stage(&self, stage: Stage, took: Duration) {
        self.statistics.request_stage(stage, took);
    }

    /// An image was looked for among those that were answered before, which took `took`.
    pub fn looked(&self, is_there: bool, took: Duration) {
        self.families().cache.looked(&self.labels(), is_there);
        self.statistics.looked(is_there, took);
    }

    /// An image of so many pixels was read.
    pub fn image(&self, pixels: u64) {
        self.families().images.observe(pixels);
    }

    /// The queue grew or shrank by items of a priority.
    pub fn queue_depth(&self, priority: &str, change: i64) {
        self.families().queue.depth(&self.labels(), priority, change);
        self.statistics.queued(change);
    }

    /// Length of the queue.
    pub fn queue_limit(&self, items: usize) {
        self.families().queue.limit(&self.labels(), items);
    }

    /// Items that wait now.
    pub(crate) fn waiting(&self) -> i64 {
        self.statistics.waiting()
    }

    /// Requests that are on their way now.
    pub(crate) fn pending(&self) -> i64 {
        self.statistics.pending()
    }

    /// Requests that were not answered well, by outcome.
    pub(super) fn failures(&self) -> Vec<(String, u64)> {
        self.families().requests.failures(&self.labels())
    }

    /// The model is being loaded and proven.
    pub fn loading(&self) {
        self.families().loaded.loading(&self.labels());
    }

    /// The model was loaded in `took` and is served.
    pub fn loaded(&self, took: Duration) {
        self.families().loaded.ready(&self.labels(), took);
    }

    /// The sessions of the model hold so many bytes of weights on `device`.
    pub fn holds(&self, device: &str, bytes: u64) {
        self.families().loaded.holds(&self.labels(), device, bytes);
    }

    /// The model answers no more.
    pub fn unloaded(&self) {
        self.families().loaded.gone(&self.labels());
    }

    /// The model was refused.
    pub fn refused(&self) {
        self.families().loaded.unavailable(&self.labels());
    }

    /// What became of an item that the version `shadow` was to run for comparison.
    pub fn shadowed(&self, shadow: &str, outcome: ShadowOutcome) {
        self.families().shadows.count(&self.labels(), shadow, outcome);
    }

    /// The cosine of the embeddings of this version and of `shadow` for an item.
    pub fn shadow_cosine(&self, shadow: &str, cosine: f64) {
        self.families().shadows.cosine(&self.labels(), shadow, cosine);
    }

    /// Whether this version and `shadow` gave an item the same best class.
    pub fn shadow_class(&self, shadow: &str, agrees: bool) {
        self.families().shadows.class(&self.labels(), shadow, agrees);
    }

    /// Counts one request of `api`; see [`Tracked`].
    pub fn track(&self, api: &'static str) -> Tracked {
        self.statistics.begun();
        Tracked::new(self.clone(), api)
    }

    /// Counts and times since this handle was made; its clones share them.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The same for whoever wants them longer than the metrics.
    pub(crate) fn shared_statistics(&self) -> Arc<Statistics> {
        self.statistics.clone()
    }

    /// A request of `api` ended after `took`.
    pub(super) fn request(&self, api: &str, outcome: &str, took: Duration) {
        let [model, version] = self.labels();
        self.families().requests.count(&[model, version, api, outcome]);
        self.statistics.request(outcome == "ok", took);
    }
}
