//! Ten of the networks as files with what Burn answers, for the runtimes of `tests/portability`.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use burn::tensor::TensorData;
use selfie_export::ir::Constant;
use selfie_export::{Model, TARGETS};
use serde_json::{Value, json};

use crate::NETWORKS;
use crate::network::{Network, encoded};

/// Networks that take one tensor of floats, as far apart as they get.
const CHOSEN: [&str; 10] =
    ["MLP", "LeNet", "VGG-11", "ResNet-18", "MobileNetV3", "ConvNeXt", "U-Net", "ViT", "Swin blocks", "TCN"];

#[test]
#[ignore = "writes files for tests/portability, into the folder that SELFIE_NETWORKS names"]
fn ten_networks_are_written() {
    let folder = std::env::var_os("SELFIE_NETWORKS").expect("SELFIE_NETWORKS names a folder");
    let chosen: Vec<_> =
        NETWORKS.iter().map(|network| network()).filter(|network| CHOSEN.contains(&network.name)).collect();
    assert_eq!(chosen.len(), CHOSEN.len(), "a name of the list is that of no network");
    for network in chosen {
        let folder = Path::new(&folder);
        write(&network, &network.model(network.opset), &folder.join(network.name));
        for target in TARGETS {
            write(&network, &network.for_target(target), &folder.join(format!("{}-{}", network.name, target.name)));
        }
    }
}

/// Writes a model, and beside it the part of a model card that says what it takes and must give.
fn write(network: &Network, model: &Model, place: &Path) {
    let graph = model.graph();
    let outputs: Vec<_> = graph.outputs.iter().map(|output| output.name.clone()).collect();
    let golden: Vec<Value> = network
        .cases(model)
        .into_iter()
        .map(|case| {
            let outputs: serde_json::Map<_, _> =
                outputs.iter().cloned().zip(case.expected.into_iter().map(tensor)).collect();
            let [input] = <[TensorData; 1]>::try_from(case.inputs).expect("a network of one input");
            json!({ "input": tensor(input), "outputs": outputs })
        })
        .collect();
    let input = graph.value(graph.inputs[0]).name.clone().expect("inputs have names");
    let card = json!({ "input": { "name": input, "dtype": "f32" }, "golden": golden });
    std::fs::write(place.with_extension("onnx"), encoded(model)).expect("the folder is there");
    std::fs::write(place.with_extension("json"), card.to_string()).expect("the folder is there");
}

/// Shape, and little-endian floats in base64.
fn tensor(data: TensorData) -> Value {
    let constant = Constant::from_burn(data).expect("an element type of ONNX");
    json!({ "shape": constant.dims(), "data": STANDARD.encode(constant.bytes()) })
}
