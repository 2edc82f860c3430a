use super::*;
use crate::classifier::Classifier;
use crate::resnet::ResNetConfig;
use burn::module::Module;
use burn::tensor::{DType, Distribution, Tensor};
use burn_store::{
    BurnToPyTorchAdapter, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot, SafetensorsStore,
};

const CLASSES: usize = 5;

fn config(depths: [usize; 4], image_size: usize) -> ClassifierConfig {
    let [a, b, c, depth] = depths;
    let resnet = ResNetConfig {
        stem: Stem::Large,
        block: BlockKind::PostActivation,
        width: 2,
        depths: vec![a, b, c],
        ..Default::default()
    };
    let head = HeadConfig::FourthGroup { depth };
    ClassifierConfig { image_size: [image_size; 2], classes: CLASSES, resnet, head }
}

/// From a seed: how much a number of lower precision costs depends on the weights.
fn published(depths: [usize; 4]) -> Classifier {
    let network = NetworkConfig::Classifier(config(depths, 32)).init(1, &Device::flex());
    let Network::Classifier(classifier) = network else { unreachable!() };
    classifier
}

/// Writes weights as torchvision names them: what lies in our classifier's ResNet is at the top, behind `prefix`.
fn save_published<M: Module>(module: &M, path: &Path, prefix: &str, dtype: DType) {
    let names = KeyRemapper::from_patterns(vec![(r"^resnet\.", ""), ("^", prefix)]).unwrap();
    let adapter = BurnToPyTorchAdapter.chain(FloatCastAdapter::to(dtype));
    module
        .save_into(&mut SafetensorsStore::from_file(path).with_to_adapter(adapter).remap(names).overwrite(true))
        .unwrap();
}

fn save_weights<M: Module>(module: &M, path: &Path) {
    save_published(module, path, "", DType::F32);
}

fn logits(network: &Network, images: &Tensor<4>) -> Vec<f32> {
    network.forward(images.clone()).pop().unwrap().into_data().iter::<f32>().collect()
}

fn images() -> Tensor<4> {
    Tensor::random([2, 3, 32, 32], Distribution::Default, &Device::flex())
}

#[test]
fn width_channels_and_classes_are_those_of_the_file_and_the_card_is_torchvision_s() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("published.safetensors"), folder.path().join("run"));
    let network = published([2, 2, 2, 2]);
    save_weights(&network, &file);
    let import = Import::new(&file, "resnet26");
    let read = import.run(&out, &Device::flex()).unwrap();
    let images = images();
    let expected = logits(&Network::Classifier(network), &images);
    assert_eq!(logits(&read.network, &images), expected);
    let saved = saved::load(&out, &Device::flex()).unwrap();
    assert_eq!((&saved.card, &saved.config), (&read.card, &NetworkConfig::Classifier(config([2, 2, 2, 2], 224))));
    assert_eq!(logits(&saved.network, &images), expected);
    let card = saved.card;
    assert_eq!(card.outputs.logits.unwrap().labels, ["class_0", "class_1", "class_2", "class_3", "class_4"]);
    assert_eq!(card.outputs.embedding.unwrap().width, 64);
    assert_eq!(card.preprocessing.size, ResizeTo::ShortestEdge { shortest_edge: 256 });
    assert_eq!(card.preprocessing.crop_size, Some(Size { height: 224, width: 224 }));
    assert_eq!(card.preprocessing.image_mean, IMAGENET_MEAN);
    let recipe = card.provenance.recipe;
    assert!(
        recipe.starts_with("import of published.safetensors as resnet26, SHA-256 ") && recipe.len() > 64,
        "{recipe}"
    );
    assert!(matches!(import.run(&out, &Device::flex()), Err(Error::Occupied { .. })));
}

#[test]
fn a_prefix_and_half_precision_are_undone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrapped.safetensors");
    let network = published([1, 1, 1, 1]);
    save_published(&network, &file, "module.encoder.", DType::F16);
    let read = Import::new(&file, "tiny").read(&Device::flex()).unwrap();
    let images = images();
    let expected = logits(&Network::Classifier(network), &images);
    let largest = expected.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
    for (found, expected) in logits(&read.network, &images).into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-2 * largest, "{found} is not {expected}");
    }
    let Network::Classifier(classifier) = read.network else { unreachable!() };
    assert!(classifier.collect(None, None, false).iter().all(|tensor| tensor.dtype == DType::F32));
}

#[test]
fn tensors_that_do_not_fit_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("published.safetensors");
    save_weights(&published([2, 2, 2, 2]), &file);
    let message = |import: Import| import.read(&Device::flex()).unwrap_err().to_string();
    let of = |arch: &str| message(Import::new(&file, arch));

    let (deeper, shallower) = (of("resnet50"), of("tiny"));
    assert!(deeper.contains("missing: layer1.2.bn1.bias, layer1.2.bn1.running_mean"), "{deeper}");
    assert!(deeper.contains("and 115 more. Its groups have [2, 2, 2, 2] blocks; try --arch resnet26"), "{deeper}");
    assert!(shallower.contains("unexpected: layer1.1.bn1.bias"), "{shallower}");
    assert!(of("resnet51").contains("resnet152"), "{}", of("resnet51"));

    let mut small = Import::new(&file, "resnet26");
    small.stem = Stem::Small;
    let small = message(small);
    assert!(small.contains("of another shape: conv1.weight is [2, 3, 7, 7] instead of [2, 3, 3, 3]."), "{small}");

    let resnet = config([2, 2, 2, 2], 32).resnet.init(&Device::flex());
    save_weights(&resnet, &file);
    assert!(of("resnet26").contains("fc.bias is missing"), "{}", of("resnet26"));
    save_weights(&burn::nn::LinearConfig::new(2, 2).init(&Device::flex()), &file);
    assert!(of("resnet26").contains("layer1.0.conv1.weight is not in it; it holds bias, weight"), "{}", of("resnet26"));
}

#[test]
fn files_that_are_missing_damaged_or_of_another_kind_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.path().join(name);
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        Import::new(path, "tiny").read(&Device::flex()).unwrap_err().to_string()
    };
    let cases = [
        (message("a.safetensors", None), "cannot read"),
        (message("b.safetensors", Some(b"nothing")), "cannot be read as a safetensors file"),
        (message("c.pth", Some(b"nothing")), "cannot be read as a PyTorch file"),
        (message("d.onnx", Some(b"nothing")), "ends with none of .safetensors, .pt, .pth and .bpk"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message:?} does not say {expected:?}");
    }
}

#[test]
fn labels_sizes_and_means_must_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (file, labels) = (folder.path().join("published.safetensors"), folder.path().join("labels.txt"));
    save_weights(&published([1, 1, 1, 1]), &file);
    let import = Import { labels: Some(labels.clone()), ..Import::new(&file, "tiny") };
    std::fs::write(&labels, "cat\ndog\n").unwrap();
    let message = import.read(&Device::flex()).unwrap_err().to_string();
    assert!(message.contains("labels.txt: it has 2 lines; the network has 5 classes"), "{message}");
    std::fs::write(&labels, "cat\r\ndog\r\ngoldfish, Carassius\r\nwolf\r\nfox\r\n").unwrap();
    let card = import.read(&Device::flex()).unwrap().card;
    assert_eq!(card.outputs.logits.unwrap().labels, ["cat", "dog", "goldfish, Carassius", "wolf", "fox"]);

    let plain = Import::new(&file, "tiny");
    let small = Import { image_size: 32, ..plain.clone() }.read(&Device::flex()).unwrap().card;
    assert_eq!(small.preprocessing.size, ResizeTo::ShortestEdge { shortest_edge: 37 });
    let cases = [
        (Import { resize: Some(100), ..plain.clone() }, "resize is 100"),
        (Import { mean: vec![0.5], ..plain }, "image_mean"),
    ];
    for (import, expected) in cases {
        let message = import.read(&Device::flex()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message:?} does not say {expected:?}");
    }
}
