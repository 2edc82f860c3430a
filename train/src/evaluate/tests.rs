use super::outputs::rows_of;
use super::*;
use crate::data::Split;
use selfie_models::card::{Card, Logits, Outputs, Provenance};
use selfie_models::classifier::{ClassifierConfig, HeadConfig};
use selfie_models::resnet::ResNetConfig;

fn dataset() -> Dataset {
    let split = Split::held(vec![0; 4 * 64], vec![0, 1, 0, 1]);
    Dataset {
        name: "toy".into(),
        channels: 1,
        native: (8, 8),
        cropped: false,
        height: 8,
        width: 8,
        labels: vec!["a".into(), "b".into()],
        mean: vec![0.5],
        std: vec![0.5],
        train: split.clone(),
        validation: Split::held(Vec::new(), Vec::new()),
        test: split,
        skipped: Vec::new(),
        notices: Vec::new(),
    }
}

fn saved(labels: &[&str], image_size: [usize; 2]) -> Saved {
    let resnet = ResNetConfig { channels: 1, width: 2, depths: vec![1; 3], ..ResNetConfig::default() };
    let head = HeadConfig::FourthGroup { depth: 1 };
    let config = NetworkConfig::Classifier(ClassifierConfig { image_size, classes: 2, resnet, head });
    let labels = labels.iter().map(ToString::to_string).collect();
    let record = crate::run::RunRecord {
        stage: crate::Stage::Finetune,
        recipe: String::new(),
        seed: 0,
        crate_version: String::new(),
        source_revision: String::new(),
        command: Vec::new(),
        device: String::new(),
        data: String::new(),
        data_sha256: String::new(),
        skipped_images: 0,
        init: None,
        started_unix_s: 0,
        steps: None,
        diverged_at: None,
        changes: Vec::new(),
        finished_unix_s: None,
        seconds: None,
        metrics: Default::default(),
    };
    let card = crate::cards::card(&crate::Recipe::default(), &dataset(), &config, &record);
    let outputs = Outputs { logits: Some(Logits { name: "logits".into(), labels }), ..card.outputs };
    let card = Card { outputs, provenance: Provenance::default(), ..card };
    Saved { card, network: config.init(0, &Device::flex()), config }
}

#[test]
fn a_network_for_other_images_or_classes_is_refused() {
    assert_eq!(check(&saved(&["a", "b"], [8, 8]), &dataset()), Ok(()));
    let message = check(&saved(&["a", "b"], [32, 32]), &dataset()).unwrap_err();
    assert!(message.contains("(1, 32, 32)") && message.contains("(1, 8, 8)"), "{message}");
    let message = check(&saved(&["b", "a"], [8, 8]), &dataset()).unwrap_err();
    assert!(message.contains("classes"), "{message}");
}

#[test]
fn the_size_of_a_batch_does_not_change_the_outputs() {
    let (dataset, device) = (dataset(), Device::flex());
    let Network::Classifier(classifier) = saved(&["a", "b"], [8, 8]).network else { unreachable!() };
    let logits = |size| rows_of(&dataset, &dataset.test, size, &device, |images| classifier.forward(images).logits);
    let (one, all) = (logits(1).unwrap(), logits(4).unwrap());
    assert_eq!((one.width, one.values.len()), (2, 8));
    let largest = one.values.iter().zip(&all.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < 1e-5, "{largest}");
}
