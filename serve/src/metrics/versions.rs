//! The series of versions: they are there as long as somebody holds the metrics of the version. A server that sees a thousand versions
//! does not show all of them for ever.

use super::register;
use crate::Error;
use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::proto::LabelPair;
use prometheus::{Registry, Result};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Metrics that carry the labels of a version, and who holds which version.
pub struct Versions {
    registry: Registry,
    metrics: Vec<Box<dyn Forget>>,
    holders: Mutex<HashMap<[String; 2], usize>>,
}

/// A metric with series of versions.
trait Forget: Send + Sync {
    /// Drops the series of a version.
    fn forget(&self, version: &[String; 2]);
}

impl Versions {
    /// None yet.
    pub fn new(registry: &Registry) -> Self {
        Self { registry: registry.clone(), metrics: Vec::new(), holders: Mutex::default() }
    }

    /// Where metrics of the whole server go.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Registers a metric, the labels of which name `model` and `version`.
    ///
    /// # Errors
    /// The name is taken.
    pub fn add<B: MetricVecBuilder + 'static>(
        &mut self,
        made: Result<MetricVec<B>>,
    ) -> std::result::Result<MetricVec<B>, Error> {
        let metric = register(&self.registry, made)?;
        self.metrics.push(Box::new(metric.clone()));
        Ok(metric)
    }

    /// Somebody holds the metrics of a version.
    pub fn hold(&self, version: &[String; 2]) {
        *self.holders.lock().unwrap_or_else(PoisonError::into_inner).entry(version.clone()).or_default() += 1;
    }

    /// Somebody holds them no more. With the last one its series go.
    pub fn release(&self, version: &[String; 2]) {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = holders.get_mut(version) else { return };
        *count -= 1;
        if *count == 0 {
            holders.remove(version);
            self.metrics.iter().for_each(|metric| metric.forget(version));
        }
    }
}

impl<B: MetricVecBuilder> Forget for MetricVec<B> {
    fn forget(&self, [model, version]: &[String; 2]) {
        let names: Vec<String> = self.desc().into_iter().flat_map(|desc| desc.variable_labels.clone()).collect();
        for metric in self.collect().iter().flat_map(|family| family.get_metric()) {
            let label = |name: &str| metric.get_label().iter().find(|label| label.name() == name).map(LabelPair::value);
            if label("model") == Some(model) && label("version") == Some(version) {
                let values: Vec<&str> = names.iter().filter_map(|name| label(name)).collect();
                // Only one that is not there cannot be taken out.
                let _ = self.remove_label_values(&values);
            }
        }
    }
}
