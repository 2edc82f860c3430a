//! `selfie_shadow_...`: how far a version that runs in the shadow of the live one agrees with it.

use super::Versions;
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts};

/// Bounds of the buckets of cosines: close together where versions that should agree are.
const COSINES: [f64; 12] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 0.99999, 1.0];

/// What became of an item that the shadow was to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShadowOutcome {
    /// Both have answered.
    Compared,
    /// The shadow was busy.
    Dropped,
    /// The shadow has failed.
    Failed,
}

impl ShadowOutcome {
    fn name(self) -> &'static str {
        match self {
            Self::Compared => "compared",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// Metrics of shadows.
pub struct Shadows {
    total: IntCounterVec,
    cosine: HistogramVec,
    classes: IntCounterVec,
}

impl Shadows {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let total = Opts::new("selfie_shadow_total", "Items for the shadow; outcome is compared, dropped or failed.");
        let help = "Cosine of the embeddings that the version and its shadow gave for an item.";
        let cosine = HistogramOpts::new("selfie_shadow_cosine", help).buckets(COSINES.to_vec());
        let help = "Items by whether the version and its shadow gave them the same best class.";
        let classes = Opts::new("selfie_shadow_class_total", help);
        Ok(Self {
            total: versions.add(IntCounterVec::new(total, &["model", "version", "shadow", "outcome"]))?,
            cosine: versions.add(HistogramVec::new(cosine, &["model", "version", "shadow"]))?,
            classes: versions.add(IntCounterVec::new(classes, &["model", "version", "shadow", "agrees"]))?,
        })
    }

    /// Counts an item.
    pub fn count(&self, [model, version]: &[&str; 2], shadow: &str, outcome: ShadowOutcome) {
        self.total.with_label_values(&[*model, *version, shadow, outcome.name()]).inc();
    }

    /// Two embeddings of an item were compared.
    pub fn cosine(&self, [model, version]: &[&str; 2], shadow: &str, cosine: f64) {
        self.cosine.with_label_values(&[*model, *version, shadow]).observe(cosine);
    }

    /// Two best classes of an item were compared.
    pub fn class(&self, [model, version]: &[&str; 2], shadow: &str, agrees: bool) {
        let agrees = if agrees { "true" } else { "false" };
        self.classes.with_label_values(&[*model, *version, shadow, agrees]).inc();
    }
}
