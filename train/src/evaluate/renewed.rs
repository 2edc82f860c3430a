//! Batch-norm statistics of a network that is not trained any further, estimated anew before its embeddings are taken.

use crate::data::Dataset;
use crate::reestimate::{batches, reestimate};
use crate::{Error, Recipe};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use selfie_models::network::Network;
use std::sync::Arc;

/// The network with the statistics that a pretraining with `norm_batches` would have left it: those of the recipe's first
/// batches, as long as the `parts` of a batch. It must be on a device with automatic differentiation, since only there a batch
/// has statistics of its own.
pub(crate) fn renewed(
    network: Network,
    recipe: &Recipe,
    parts: usize,
    dataset: &Arc<Dataset>,
    device: &Device,
) -> Result<Network, Error> {
    let Dataset { channels, height, width, .. } = **dataset;
    let mut loader = batches(recipe, parts, dataset.clone(), Arc::new((0..dataset.train.len()).collect()))?;
    let mut next = || -> Result<Option<Tensor<4>>, Error> {
        let Some(batch) = loader.next().transpose()? else { return Ok(None) };
        let shape = [batch.labels.len(), channels, height, width];
        Ok(Some(Tensor::from_data(TensorData::new(batch.images, shape), device)))
    };
    Ok(match network {
        Network::Selfie(selfie) => Network::Selfie(
            reestimate(selfie, |selfie| Ok(next()?.map(|images| selfie.embed(images)).is_some()))?.valid(),
        ),
        Network::Classifier(classifier) => Network::Classifier(
            reestimate(classifier, |classifier| Ok(next()?.map(|images| classifier.forward(images)).is_some()))?
                .valid(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, data, pretrain};
    use selfie_models::saved::{self, WEIGHTS_FILE};
    use selfie_models::weights::{Part, write};

    #[test]
    fn a_renewed_network_is_that_of_a_pretraining_with_norm_batches() {
        let folder = tempfile::tempdir().unwrap();
        let pretrained = |out: &str, more: &[&str]| {
            let small = ["steps=3", "warmup_steps=1", "batch_size=8", "network.width=2", "augment.flip=true"];
            let set = small.iter().chain(more).map(ToString::to_string).collect();
            let options = Options { set, quiet: true, ..Options::new("quickstart-pretrain", folder.path().join(out)) };
            pretrain::run(&options).unwrap();
            options
        };
        let read = |options: &Options| std::fs::read(options.out.join(WEIGHTS_FILE)).unwrap();
        let (plain, new) = (pretrained("plain", &[]), pretrained("new", &["norm_batches=2"]));

        let device = Device::flex().autodiff();
        let recipe = new.resolve(crate::Stage::Pretrain).unwrap();
        let dataset = Arc::new(data::open_with(&recipe.data, &recipe.images).unwrap());
        let network = saved::load(&plain.out, &device).unwrap().network;
        let file = folder.path().join("renewed.safetensors");
        write(&renewed(network, &recipe, 1, &dataset, &device).unwrap(), Part::Whole, &file).unwrap();
        let found = std::fs::read(&file).unwrap();
        assert!(found == read(&new), "other weights than those of the pretraining");
        assert!(found != read(&plain), "nothing was estimated anew");
    }
}
