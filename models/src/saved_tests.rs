use super::*;
use crate::card::*;
use crate::classifier::{ClassifierConfig, HeadConfig};
use crate::pooling::PoolingConfig;
use crate::resnet::ResNetConfig;
use crate::selfie::SelfieConfig;
use burn::tensor::{Distribution, Tensor};

fn networks() -> [NetworkConfig; 2] {
    let resnet = ResNetConfig { channels: 1, width: 2, depths: vec![1, 1, 1], ..Default::default() };
    let pooling = PoolingConfig { layers: 1, heads: 2, feed_forward: 8, width: 6, ..Default::default() };
    let head = HeadConfig::FourthGroup { depth: 1 };
    [
        NetworkConfig::Selfie(SelfieConfig {
            resnet: resnet.clone(),
            pooling,
            norm_patches: true,
            ..Default::default()
        }),
        NetworkConfig::Classifier(ClassifierConfig { image_size: [32, 32], classes: 3, resnet, head }),
    ]
}

fn card() -> Card {
    Card {
        card_version: CARD_VERSION,
        name: "test".into(),
        task: Task::ImageFeatureExtraction,
        input: Input {
            name: "pixel_values".into(),
            dtype: InputDtype::F32,
            layout: Layout::Nchw,
            channels: 1,
            height: 32,
            width: 32,
        },
        outputs: Outputs { embedding: Some(Embedding { name: "embedding".into(), width: 6 }), logits: None },
        preprocessing: Preprocessing {
            do_resize: true,
            size: ResizeTo::ShortestEdge { shortest_edge: 32 },
            resample: Resample::Bicubic,
            crop_size: Some(Size { height: 32, width: 32 }),
            pad_size: None,
            rescale_factor: 1.0 / 255.0,
            image_mean: vec![0.5],
            image_std: vec![0.5],
        },
        provenance: Provenance::default(),
        golden: Vec::new(),
    }
}

#[test]
fn a_saved_network_answers_as_before() {
    let device = Device::flex();
    for config in networks() {
        let folder = tempfile::tempdir().unwrap();
        let network = config.init(7, &device);
        let images: Tensor<4> = Tensor::random([2, 1, 32, 32], Distribution::Default, &device);
        save(folder.path(), &card(), &config, &network).unwrap();
        let loaded = load(folder.path(), &device).unwrap();
        assert_eq!((&loaded.card, &loaded.config), (&card(), &config));
        for (a, b) in network.forward(images.clone()).into_iter().zip(loaded.network.forward(images)) {
            assert_eq!(a.into_data(), b.into_data());
        }
    }
}

#[test]
fn weights_have_torchvision_s_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(WEIGHTS_FILE);
    let [_, config] = networks();
    let Network::Classifier(classifier) = config.init(0, &Device::flex()) else { unreachable!() };
    save_weights(&classifier.resnet, &path).unwrap();
    let mut store = SafetensorsStore::from_file(&path);
    let names = burn_store::ModuleStore::keys(&mut store).unwrap();
    for name in ["conv1.weight", "layer1.0.conv1.weight", "layer1.0.bn1.weight", "layer1.0.bn1.running_var"] {
        assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    }
    assert!(names.contains(&"layer4.0.downsample.0.weight".to_owned()), "{names:?}");
}

#[test]
fn damaged_foreign_and_missing_files_are_named() {
    let device = Device::flex();
    let [selfie, classifier] = networks();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let message = |path: &Path| load(path, &Device::flex()).unwrap_err().to_string();
    assert!(message(path).contains(NETWORK_FILE));
    save(path, &card(), &selfie, &selfie.init(0, &device)).unwrap();
    let Network::Classifier(other) = classifier.init(0, &device) else { unreachable!() };
    save_weights(&other, &path.join(WEIGHTS_FILE)).unwrap();
    assert!(message(path).contains("do not fit the network"), "{}", message(path));
    std::fs::write(path.join(WEIGHTS_FILE), b"not a tensor").unwrap();
    assert!(message(path).contains(WEIGHTS_FILE), "{}", message(path));
    std::fs::remove_file(path.join(WEIGHTS_FILE)).unwrap();
    assert!(message(path).contains(WEIGHTS_FILE), "{}", message(path));
    std::fs::write(path.join(CARD_FILE), b"{}").unwrap();
    assert!(message(path).contains(CARD_FILE), "{}", message(path));
    std::fs::write(path.join(NETWORK_FILE), b"{}").unwrap();
    assert!(message(path).contains(NETWORK_FILE), "{}", message(path));
}
