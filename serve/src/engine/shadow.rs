//! A version that runs what the live one has answered and answers nobody: the metrics say how far the two agree.
//!
//! The live answer never waits for it. The item is handed on when the answer is there, takes no place in a queue, and is dropped
//! where as many items as fit into a batch are on their way already.

use super::Served;
use crate::batch::Place;
use crate::metrics::{ModelMetrics, ShadowOutcome};
use crate::model::Row;
use crate::model::row::{best, cosine};
use crate::preprocess::Pixels;
use crate::store::{Entry, RULES_FILE};
use crate::{Error, Model};
use selfie_models::card::Input;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A version that is compared with the live one.
pub struct Shadow {
    served: Arc<Served>,
    version: String,
    live: Arc<Model>,
    /// Those of the live version.
    metrics: ModelMetrics,
    has_embeddings: bool,
    has_classes: bool,
}

/// A place at the shadow for one item that the live version has not answered yet.
pub struct Mirror {
    shadow: Arc<Shadow>,
    place: Place,
}

/// An item for the shadow, once the live version has answered it.
pub struct Mirrored {
    mirror: Mirror,
    pixels: Pixels,
}

impl Shadow {
    /// Compares `shadow` with `live`.
    ///
    /// # Errors
    /// [`Error::Rules`] when the shadow prepares images in another way or gives nothing that can be compared.
    pub fn new(entry: &Entry, live: &Served, shadow: &Arc<Served>) -> Result<Arc<Self>, Error> {
        let wrong = |what: &str| Error::Rules {
            path: entry.folder.join(RULES_FILE),
            reason: format!(
                "shadow is version {}, which {what} version {}, the live one",
                shadow.version, live.version
            ),
        };
        let (one, other) = (live.model.card(), shadow.model.card());
        let tensor = |input: &Input| (input.dtype, input.layout, input.channels, input.height, input.width);
        if tensor(&one.input) != tensor(&other.input) || one.preprocessing != other.preprocessing {
            return Err(wrong("prepares images otherwise than"));
        }
        let width = live.model.embedding_width();
        let has_embeddings = width.is_some() && width == shadow.model.embedding_width();
        let has_classes = live.model.labels().is_some() && live.model.labels() == shadow.model.labels();
        if !has_embeddings && !has_classes {
            return Err(wrong("has neither the width of embedding nor the classes of"));
        }
        Ok(Arc::new(Self {
            served: shadow.clone(),
            version: shadow.version.to_string(),
            live: live.model.clone(),
            metrics: live.metrics.clone(),
            has_embeddings,
            has_classes,
        }))
    }

    /// A place for each of `count` items, in their order, as far as there are places; the others are counted as dropped.
    pub fn mirrors(self: &Arc<Self>, count: usize) -> Vec<Mirror> {
        let places = self.served.batcher.admit_spare(count);
        (places.len()..count).for_each(|_| self.metrics.shadowed(&self.version, ShadowOutcome::Dropped));
        places.into_iter().map(|place| Mirror { shadow: self.clone(), place }).collect()
    }

    fn compare(&self, live: &Row, shadow: &Row) {
        let other = &self.served.model;
        if self.has_embeddings
            && let (Some(a), Some(b)) = (self.live.embedding(live), other.embedding(shadow))
        {
            self.metrics.shadow_cosine(&self.version, cosine(a, b));
        }
        if self.has_classes
            && let (Some(a), Some(b)) = (self.live.logits(live), other.logits(shadow))
        {
            let top = |logits| best(logits, 1).first().map(|(class, _)| *class);
            self.metrics.shadow_class(&self.version, top(a) == top(b));
        }
        self.metrics.shadowed(&self.version, ShadowOutcome::Compared);
    }
}

impl Mirror {
    /// The item for the shadow.
    pub fn of(self, pixels: &Pixels) -> Mirrored {
        Mirrored { mirror: self, pixels: pixels.clone() }
    }
}

impl Mirrored {
    /// Lets the shadow run the item, and compares what it gives with what the live version gave. Returns at once.
    pub fn run(self, live: Row) {
        let Self { mirror: Mirror { shadow, place }, pixels } = self;
        let (sender, receiver) = oneshot::channel();
        shadow.served.batcher.push(pixels, place, sender);
        tokio::spawn(async move {
            match receiver.await {
                Ok(Ok(answer)) => shadow.compare(&live, &answer.row),
                // The batcher has logged why.
                Ok(Err(_)) | Err(_) => shadow.metrics.shadowed(&shadow.version, ShadowOutcome::Failed),
            }
        });
    }
}
