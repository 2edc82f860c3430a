//! What fine-tuning starts from: a finished run, or a file of weights.

use crate::Error;
use crate::run::InitRecord;
use burn::tensor::Device;
use selfie_models::card::Provenance;
use selfie_models::classifier::{Classifier, ClassifierConfig, HeadConfig};
use selfie_models::digest;
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::pooling::PoolingConfig;
use selfie_models::resnet::ResNetConfig;
use selfie_models::saved::{self, WEIGHTS_FILE};
use selfie_models::selfie::{Selfie, SelfieConfig};
use std::path::{Path, PathBuf};

/// Weights to start from, and where they are from.
pub(crate) struct Start {
    source: Source,
    pub(crate) record: InitRecord,
}

enum Source {
    /// What was pretrained.
    Selfie(Box<Selfie>),
    /// The weights of a classifier, or a file of which nobody knows more than its tensors.
    File(PathBuf),
}

impl Start {
    /// Opens a run folder or a file of weights.
    ///
    /// # Errors
    /// [`Error::Init`] says why a classifier cannot start from it, as far as its configuration tells.
    pub(crate) fn open(path: &Path, classifier: &ClassifierConfig, device: &Device) -> Result<Self, Error> {
        if path.is_file() { Self::of_file(path) } else { Self::of_run(path, classifier, device) }
    }

    fn of_run(path: &Path, classifier: &ClassifierConfig, device: &Device) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Init { path: path.to_owned(), reason };
        let saved = saved::load(path, device).map_err(|error| wrong(error.to_string()))?;
        match &saved.config {
            NetworkConfig::Selfie(config) => fits(config, classifier),
            NetworkConfig::Classifier(config) => continues(config, classifier),
        }
        .map_err(wrong)?;
        let weights = path.join(WEIGHTS_FILE);
        let weights_sha256 = digest::of_file(&weights)?;
        let source = match saved.network {
            Network::Selfie(selfie) => Source::Selfie(Box::new(selfie)),
            Network::Classifier(_) => Source::File(weights),
        };
        let record = InitRecord { path: path.to_owned(), weights_sha256, provenance: saved.card.provenance };
        Ok(Self { source, record })
    }

    fn of_file(path: &Path) -> Result<Self, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let provenance = Provenance { recipe: format!("the file {name}"), ..Default::default() };
        let record = InitRecord { path: path.to_owned(), weights_sha256: digest::of_file(path)?, provenance };
        Ok(Self { source: Source::File(path.to_owned()), record })
    }

    /// Gives the weights to a classifier.
    ///
    /// # Errors
    /// [`Error::Init`] names the tensors that do not fit.
    pub(crate) fn give(&self, fresh: Classifier) -> Result<Classifier, Error> {
        let wrong =
            |error: selfie_models::Error| Error::Init { path: self.record.path.clone(), reason: error.to_string() };
        match &self.source {
            Source::Selfie(selfie) => Ok(fresh.start_from(selfie)),
            Source::File(path) => fresh.start_from_file(path).map_err(wrong),
        }
    }
}

/// Whether a classifier can take over what was pretrained.
pub(crate) fn fits(pretrained: &SelfieConfig, classifier: &ClassifierConfig) -> Result<(), String> {
    check(&pretrained.resnet, Some(&pretrained.pooling), classifier)
}

/// Whether a classifier can take over what another one has learnt; their classes may differ.
fn continues(trained: &ClassifierConfig, classifier: &ClassifierConfig) -> Result<(), String> {
    let pooling = match &trained.head {
        HeadConfig::AttentionPooling(pooling) => Some(pooling),
        HeadConfig::FourthGroup { .. } => None,
    };
    check(&trained.resnet, pooling, classifier)
}

fn check(resnet: &ResNetConfig, pooling: Option<&PoolingConfig>, classifier: &ClassifierConfig) -> Result<(), String> {
    if *resnet != classifier.resnet {
        let ours = &classifier.resnet;
        return Err(format!("its patch network is {resnet:?}; the recipe's is {ours:?}"));
    }
    match (&classifier.head, pooling) {
        (HeadConfig::AttentionPooling(ours), Some(theirs)) if ours != theirs => {
            Err(format!("its pooling is {theirs:?}; the recipe's is {ours:?}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::BUILTIN;
    use crate::{Recipe, data};

    #[test]
    fn a_built_in_fine_tuning_recipe_can_start_from_its_pretraining() {
        let sample = data::open("fashion-mnist-sample").unwrap();
        let finetunings = BUILTIN.iter().filter_map(|(name, _)| Some((name, name.strip_suffix("finetune")?)));
        for (name, family) in finetunings {
            let pretraining = format!("{}pretrain", family.trim_end_matches("attention-"));
            let [pretrain, finetune] = [&pretraining, *name].map(|name| Recipe::open(name).unwrap());
            let side = pretrain.images.size.unwrap_or(32);
            let dataset = data::Dataset { height: side, width: side, ..sample.clone() };
            let pretrained = pretrain.network.selfie(&dataset).unwrap();
            assert_eq!(fits(&pretrained, &finetune.network.classifier(&dataset).unwrap()), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_was_trained_must_fit_the_classifier() {
        let selfie = SelfieConfig::default();
        let head = HeadConfig::FourthGroup { depth: 3 };
        let fitting = ClassifierConfig { image_size: [32, 32], classes: 10, resnet: selfie.resnet.clone(), head };
        assert_eq!(fits(&selfie, &fitting), Ok(()));
        assert_eq!(continues(&ClassifierConfig { classes: 3, ..fitting.clone() }, &fitting), Ok(()));
        let mut wider = fitting.clone();
        wider.resnet.width = 3;
        assert!(fits(&selfie, &wider).unwrap_err().contains("width: 3"));
        assert!(continues(&wider, &fitting).unwrap_err().contains("width: 3"));
        let pooled = |layers: usize| {
            let pooling = PoolingConfig { layers, ..selfie.pooling.clone() };
            ClassifierConfig { head: HeadConfig::AttentionPooling(pooling), ..fitting.clone() }
        };
        assert!(fits(&selfie, &pooled(7)).unwrap_err().contains("layers: 7"));
        assert!(continues(&pooled(2), &pooled(7)).unwrap_err().contains("layers: 7"));
        // A fourth group gives no pooling, and the pooling stays fresh.
        assert_eq!(continues(&fitting, &pooled(7)), Ok(()));
    }
}
