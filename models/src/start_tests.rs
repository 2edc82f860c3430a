use super::*;
use crate::classifier::{ClassifierConfig, HeadConfig};
use crate::network::{Network, NetworkConfig};
use crate::pooling::PoolingConfig;
use crate::resnet::{BlockKind, ResNet, ResNetConfig, Stem};
use crate::selfie::SelfieConfig;
use crate::weights::{Part, write};
use burn::tensor::{Device, Distribution, Tensor};
use std::path::PathBuf;
use tempfile::TempDir;

fn resnet() -> ResNetConfig {
    ResNetConfig { width: 2, depths: vec![1, 1, 1], ..Default::default() }
}

/// As torchvision's, without a normalisation behind the last group.
fn post_activation() -> ResNetConfig {
    ResNetConfig { block: BlockKind::PostActivation, ..resnet() }
}

fn pooling() -> PoolingConfig {
    PoolingConfig { layers: 1, heads: 2, feed_forward: 8, width: 6, ..Default::default() }
}

fn heads() -> [HeadConfig; 2] {
    [HeadConfig::FourthGroup { depth: 1 }, HeadConfig::AttentionPooling(pooling())]
}

fn selfie(seed: u64) -> Network {
    let config = SelfieConfig { resnet: resnet(), pooling: pooling(), norm_patches: true, ..Default::default() };
    NetworkConfig::Selfie(config).init(seed, &Device::flex())
}

fn config(resnet: ResNetConfig, head: HeadConfig, classes: usize) -> ClassifierConfig {
    ClassifierConfig { image_size: [32, 32], classes, resnet, head }
}

fn made(config: ClassifierConfig, seed: u64) -> Classifier {
    match NetworkConfig::Classifier(config).init(seed, &Device::flex()) {
        Network::Classifier(classifier) => classifier,
        Network::Selfie(_) => unreachable!(),
    }
}

fn classifier(head: HeadConfig, classes: usize, seed: u64) -> Classifier {
    made(config(resnet(), head, classes), seed)
}

fn images() -> Tensor<4> {
    Tensor::random([2, 3, 32, 32], Distribution::Default, &Device::flex())
}

fn embedding(classifier: &Classifier, images: &Tensor<4>) -> Vec<f32> {
    classifier.forward(images.clone()).embedding.into_data().iter().collect()
}

/// Every kind of file of a network.
fn files(folder: &TempDir, network: &Network, part: Part) -> Vec<PathBuf> {
    let paths = ["a.safetensors", "a.bpk"].map(|name| folder.path().join(name));
    paths.iter().for_each(|path| write(network, part, path).unwrap());
    paths.to_vec()
}

#[test]
fn a_file_of_a_pretrained_network_gives_what_the_network_itself_gives() {
    let (folder, images) = (tempfile::tempdir().unwrap(), images());
    let network = selfie(3);
    let Network::Selfie(pretrained) = &network else { unreachable!() };
    for head in heads() {
        let fresh = classifier(head.clone(), 5, 8);
        let expected = fresh.clone().start_from(pretrained);
        for file in files(&folder, &network, Part::Whole) {
            let found = fresh.clone().start_from_file(&file).unwrap();
            assert_eq!(embedding(&found, &images), embedding(&expected, &images), "{head:?}, {}", file.display());
            assert_eq!(found.fc.weight.val().into_data(), expected.fc.weight.val().into_data());
        }
    }
    // A patch network alone has no pooling; without pooling that is the same.
    let fresh = classifier(heads()[0].clone(), 5, 8);
    let expected = fresh.clone().start_from(pretrained);
    for file in files(&folder, &network, Part::Backbone) {
        let found = fresh.clone().start_from_file(&file).unwrap();
        assert_eq!(embedding(&found, &images), embedding(&expected, &images), "{}", file.display());
    }
}

#[test]
fn a_file_of_a_classifier_gives_all_but_the_scores_of_its_classes() {
    let (folder, images) = (tempfile::tempdir().unwrap(), images());
    for head in heads() {
        let trained = classifier(head.clone(), 5, 3);
        let network = Network::Classifier(trained.clone());
        let parts: &[Part] = if trained.pooling.is_none() { &[Part::Whole, Part::Backbone] } else { &[Part::Whole] };
        for part in parts {
            for file in files(&folder, &network, *part) {
                let found = classifier(head.clone(), 7, 8).start_from_file(&file).unwrap();
                assert_eq!(embedding(&found, &images), embedding(&trained, &images), "{head:?}, {}", file.display());
                assert_eq!(found.forward(images.clone()).logits.dims(), [2, 7]);
            }
        }
    }
}

#[test]
fn a_head_of_another_kind_stays_as_it_is() {
    let (folder, images) = (tempfile::tempdir().unwrap(), images());
    let vectors = |resnet: &ResNet| resnet.forward_vector(images.clone()).into_data();
    let [fourth, pooled] = heads();
    for (head, other) in [(fourth.clone(), pooled.clone()), (pooled, fourth)] {
        let of = |head: &HeadConfig, seed: u64| made(config(post_activation(), head.clone(), 5), seed);
        let (fresh, trained) = (of(&head, 8), of(&other, 3));
        let expected = fresh.resnet.clone().with_groups_of(&trained.resnet);
        for file in files(&folder, &Network::Classifier(trained.clone()), Part::Whole) {
            let found = fresh.clone().start_from_file(&file).unwrap();
            assert_eq!(vectors(&found.resnet), vectors(&expected), "{head:?}");
            assert_ne!(vectors(&found.resnet), vectors(&fresh.resnet), "{head:?}");
        }
    }
}

#[test]
fn another_network_is_refused_with_what_the_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let head = heads()[0].clone();
    let large = ResNetConfig { stem: Stem::Large, ..post_activation() };
    let network = Network::Classifier(made(config(large, head.clone(), 5), 3));
    for file in files(&folder, &network, Part::Backbone) {
        let message = classifier(head.clone(), 5, 8).start_from_file(&file).unwrap_err().to_string();
        for part in [
            "missing: norm.",
            "unexpected: bn1.",
            "conv1.weight is [2, 3, 7, 7] instead of [2, 3, 3, 3]",
            "width 2, 3 channels, a stem of 7x7, groups of [1, 1, 1, 1] post-activation blocks",
        ] {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
    let damaged = folder.path().join("b.bpk");
    std::fs::write(&damaged, b"nothing").unwrap();
    let message = classifier(head, 5, 8).start_from_file(&damaged).unwrap_err().to_string();
    assert!(message.contains("b.bpk: it cannot be read as a burnpack file"), "{message}");
}
