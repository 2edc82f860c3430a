//! A network for every target: the same numbers on every runtime, and nothing in it that the target does not read.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, hard_sigmoid, relu};
use burn::tensor::{Device, Tensor};
use selfie_export::TARGETS;

use crate::document;
use crate::layers::same;
use crate::network::{BATCHES, Network};

const TABLE: &str = "## Targets";

/// What a target must not find, with an attribute that makes it so.
const BEYOND: &[(&str, &str, Option<&str>)] = &[
    ("candle-onnx", "LayerNormalization", None),
    ("candle-onnx", "HardSigmoid", None),
    ("candle-onnx", "MaxPool", Some("pads")),
    ("jaxonnxruntime", "LayerNormalization", None),
    ("jaxonnxruntime", "HardSigmoid", None),
    ("jaxonnxruntime", "Clip", None),
    ("onnx2tf", "BatchNormalization", None),
    ("tract", "Gemm", None),
];

#[derive(Module, Debug)]
struct OneOfEach {
    conv: Conv2d,
    pool: MaxPool2d,
    channels: BatchNorm,
    pixels: LayerNorm,
    head: Linear,
}

impl OneOfEach {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.conv.forward(x)));
        let x = hard_sigmoid(self.channels.forward(x), 0.3, 0.4);
        self.head.forward(gelu(self.pixels.forward(x.flatten(1, 3))))
    }
}

/// A network with everything that a target rewrites.
pub fn one_of_each() -> Network {
    let device = Device::flex();
    let module = OneOfEach {
        conv: Conv2dConfig::new([3, 4], [3, 3]).with_stride([2, 2]).with_padding(same(3)).init(&device),
        pool: MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(same(3)).init(),
        channels: BatchNormConfig::new(4).init(&device),
        pixels: LayerNormConfig::new(36).init(&device),
        head: LinearConfig::new(36, 5).init(&device),
    };
    let example = Tensor::<4>::zeros([2, 3, 12, 12], &device);
    Network::new(
        "One of each",
        module,
        OneOfEach::forward,
        move |export| export.input("image", example.clone(), [(0, "batch")]).outputs(["logits"]),
        BATCHES,
    )
}

#[test]
fn every_target_gets_what_it_reads_and_the_same_numbers() {
    let network = one_of_each();
    let mut wrong = network.differences("without a target", &network.model(network.opset));
    for target in TARGETS {
        let model = network.for_target(target);
        wrong.extend(network.differences(target.name, &model));
        let graph = model.graph();
        if !target.opsets.contains(&graph.opset) {
            wrong.push(format!("{}: opset {}", target.name, graph.opset));
        }
        let report = &model.report().passes;
        let idle = |name: &str| !report.iter().any(|summary| summary.pass == name && !summary.fired.is_empty());
        let idle = target.rewrites.iter().filter(|rewrite| idle(rewrite.name()));
        wrong.extend(idle.map(|rewrite| format!("{}: {} does not fire", target.name, rewrite.name())));
        let beyond = BEYOND.iter().filter(|(name, operator, attribute)| {
            let has = |node: &selfie_export::ir::Node| attribute.is_none_or(|name| node.attributes.contains_key(name));
            *name == target.name && graph.nodes.iter().any(|node| node.is(operator) && has(node))
        });
        wrong.extend(beyond.map(|(name, operator, _)| format!("{name}: {operator}\n{}", graph.dump())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_rewrite_says_why_it_does_not_fire() {
    let network = crate::mlp::mlp();
    let (mut seen, mut wrong) = (BTreeSet::new(), vec![]);
    for target in TARGETS {
        let model = network.for_target(target);
        wrong.extend(network.differences(target.name, &model));
        for rewrite in target.rewrites {
            let summary = model.report().passes.iter().find(|summary| summary.pass == rewrite.name());
            let summary = summary.expect("a rewrite of the target is in the report");
            if summary.fired.is_empty() {
                seen.insert(rewrite.name());
                let said = summary.reason.as_deref().unwrap_or_default();
                wrong.extend(said.is_empty().then(|| format!("{}: {} says nothing", target.name, rewrite.name())));
            }
        }
    }
    // A perceptron has no windows and no hard activations.
    for expected in ["trim_pads", "mirror_pool_pads", "split_hard_sigmoid", "split_clip"] {
        wrong.extend((!seen.contains(expected)).then(|| format!("{expected} fires in {}", network.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_document_lists_every_target() {
    let mut section = format!(
        "{TABLE}\n\n`--target` or `Export::target` names the runtime that a file is for. Runtimes that are not listed take \
         files that are written for none.\n\n| target | opsets | opset unless another is asked for | rewrites after the pipeline | why |\n|---|---|---|---|---|\n"
    );
    for target in TARGETS {
        let rewrites: Vec<_> = target.rewrites.iter().map(|rewrite| format!("`{}`", rewrite.name())).collect();
        let rewrites = if rewrites.is_empty() { "none".to_string() } else { rewrites.join(", ") };
        let (first, last) = (target.opsets.start(), target.opsets.end());
        writeln!(section, "| {} | {first} to {last} | {} | {rewrites} | {} |", target.name, target.opset, target.why)
            .expect("a string grows");
    }
    document::keep(TABLE, &section);
}
