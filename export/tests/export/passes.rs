//! The passes on real traces: each fires where it should, says why where it does not, and changes no number.

use burn::nn::conv::{Conv1dConfig, Conv2dConfig, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, LinearConfig, Relu, RmsNormConfig};
use burn::tensor::activation::{gelu_approximate, softmax};
use burn::tensor::{Device, Distribution, Tensor};
use selfie_export::passes::PIPELINE;
use selfie_export::{Export, Model, TARGETS};

use crate::support::{BATCHES, EXACT, Table, differences, nothing};

struct Expectation {
    pass: &'static str,
    fires: bool,
    reason: &'static str,
}

fn compile(forward: impl Fn(&Relu, Tensor<4>) -> Tensor<2>, passes: bool) -> (Model, Vec<String>) {
    let module = nothing();
    let export = Export::new(&module)
        .input("x", Tensor::<4>::zeros([2, 3, 4, 4], &Device::flex()), [(0, "batch")])
        .outputs(["y"]);
    let export = if passes { export.dumps() } else { export.without_passes() };
    let model = export.compile(&forward).expect("the function compiles");
    let wrong = differences(&module, &model, &forward, BATCHES, EXACT);
    (model, wrong)
}

#[test]
fn every_pass_fires_or_says_why_and_keeps_the_numbers() {
    type Forward = fn(&Relu, Tensor<4>) -> Tensor<2>;
    let yes = |pass| Expectation { pass, fires: true, reason: "" };
    let no = |pass, reason| Expectation { pass, fires: false, reason };
    let cases: [(&str, Forward, Vec<Expectation>); 12] = [
        (
            "two reshapes",
            |_, x| {
                let batch = x.dims()[0];
                x.reshape([batch * 3, 16]).reshape([batch, 48]).tanh()
            },
            vec![yes("merge_reshapes"), no("merge_transposes", "no Transpose")],
        ),
        (
            "two reshapes with another reader",
            |_, x| {
                let batch = x.dims()[0];
                let middle = x.reshape([batch * 3, 16]);
                let sum = middle.clone().sum();
                middle.reshape([batch, 48]) + sum.unsqueeze()
            },
            vec![yes("merge_reshapes")],
        ),
        ("a mean of pixels", |_, x| x.flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2), vec![yes("merge_reductions")]),
        (
            "the largest of channels and rows, of a size that is not traced",
            |_, x| x.flatten::<3>(1, 2).max_dim(1).reshape([0, 4]),
            vec![yes("merge_reductions")],
        ),
        (
            "a mean over pixels that stay",
            |_, x| {
                let pixels = x.flatten::<3>(2, 3);
                (pixels.clone() - pixels.mean_dim(2)).flatten(1, 2)
            },
            vec![no("merge_reductions", "another reader")],
        ),
        ("two transposes", |_, x| x.swap_dims(1, 2).swap_dims(2, 3).flatten(1, 3), vec![yes("merge_transposes")]),
        (
            "a transpose and back",
            |_, x| x.tanh().swap_dims(1, 2).swap_dims(1, 2).flatten(1, 3),
            vec![yes("drop_identities")],
        ),
        (
            "a matrix product and a sum",
            |_, x| {
                let x: Tensor<2> = x.flatten(1, 3);
                let device = x.device();
                x.matmul(Tensor::ones([48, 5], &device)) + Tensor::ones([1, 5], &device)
            },
            vec![yes("fuse_gemm"), yes("fold_constants")],
        ),
        (
            "a product with another reader",
            |_, x| {
                let x: Tensor<2> = x.flatten(1, 3);
                let device = x.device();
                let product = x.matmul(Tensor::ones([48, 5], &device));
                (product.clone() + Tensor::ones([1, 5], &device)) * product
            },
            vec![no("fuse_gemm", "another reader")],
        ),
        (
            "products of rank 4",
            |_, x| {
                let device = x.device();
                (x.clone().matmul(x) + Tensor::ones([1, 1, 1, 4], &device)).flatten(1, 3)
            },
            vec![no("fuse_gemm", "no matrix")],
        ),
        (
            "equal constants",
            |_, x| {
                let x: Tensor<2> = x.flatten(1, 3);
                let device = x.device();
                let one = |device: &Device| Tensor::<2>::from_data([[1.5f32; 48]], device);
                (x + one(&device)) * one(&device)
            },
            vec![yes("share_constants")],
        ),
        (
            "an unused result",
            |_, x| {
                let _ = x.clone().exp();
                x.flatten(1, 3)
            },
            vec![
                yes("remove_dead_code"),
                no("fuse_batch_norm", "no BatchNormalization"),
                no("share_constants", "no two"),
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, forward, expectations) in cases {
        let (plain, differences) = compile(forward, false);
        wrong.extend(differences.into_iter().map(|text| format!("{name} without passes: {text}")));
        let (model, differences) = compile(forward, true);
        wrong.extend(differences.into_iter().map(|text| format!("{name}: {text}")));
        if model.graph().nodes.len() > plain.graph().nodes.len() {
            wrong.push(format!("{name}: the passes add nodes"));
        }
        if model.graph().constant_bytes() > plain.graph().constant_bytes() + 128 {
            wrong.push(format!("{name}: the passes add constants"));
        }
        for expectation in expectations {
            let summary =
                model.report().passes.iter().find(|summary| summary.pass == expectation.pass).expect("a pass");
            let reason = summary.reason.clone().unwrap_or_default();
            if summary.fired.is_empty() == expectation.fires || !reason.contains(expectation.reason) {
                wrong.push(format!("{name}: {} fired {:?}, reason `{reason}`", expectation.pass, summary.fired));
            }
        }
        if !model.report().settled {
            wrong.push(format!("{name}: the pipeline does not settle"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_driver_stops_and_dumps_on_request() {
    let module = nothing();
    let export = |stop: &str| {
        Export::new(&module)
            .input("x", Tensor::<4>::zeros([2, 3, 4, 4], &Device::flex()), [(0, "batch")])
            .outputs(["y"])
            .stop_after(stop)
            .dumps()
            .compile(|_: &Relu, x: Tensor<4>| {
                let batch = x.dims()[0];
                x.reshape([batch * 3, 16]).reshape([batch, 48]).tanh()
            })
            .expect("the function compiles")
    };
    let early = export("fold_constants");
    assert_eq!(early.graph().nodes.len(), 3, "{}", early.graph().dump());
    let late = export("remove_dead_code");
    assert_eq!(late.graph().nodes.len(), 2, "{}", late.graph().dump());
    let stages: Vec<_> = late.report().dumps.iter().map(|(stage, _)| stage.as_str()).collect();
    assert_eq!(stages, ["lowering", "merge_reshapes", "remove_dead_code"]);
    assert!(late.report().dumps[0].1.contains("[batch, 48]"), "{}", late.report().dumps[0].1);
}

#[test]
fn passes_that_are_named_run_alone_and_the_report_says_what_each_saved() {
    let module = nothing();
    let compile = |only: &[&str]| {
        let export = Export::new(&module)
            .input("x", Tensor::<4>::zeros([2, 3, 4, 4], &Device::flex()), [(0, "batch")])
            .outputs(["y"]);
        let export = if only.is_empty() { export } else { export.only(only.iter().copied()) };
        export.compile(|_: &Relu, x: Tensor<4>| {
            let batch = x.dims()[0];
            // Two nodes that nobody needs apart from each other: one of 48 numbers goes.
            let twice = x.clone().exp() + x.exp();
            twice.reshape([batch * 3, 16]).reshape([batch, 48])
        })
    };
    let alone = compile(&["share_subexpressions", "remove_dead_code"]).expect("the function compiles");
    let summary = |name: &str| alone.report().passes.iter().find(|summary| summary.pass == name).expect("the pass");
    let saved = summary("share_subexpressions").saved;
    assert_eq!((saved.nodes, saved.flops), (1, 48), "{}", alone.report());
    assert!(summary("merge_reshapes").fired.is_empty());
    assert_eq!(summary("merge_reshapes").reason.as_deref(), Some("it was not asked for"));
    let all = compile(&[]).expect("the function compiles");
    assert!(all.graph().nodes.len() < alone.graph().nodes.len(), "{}", all.graph().dump());
    let total = |model: &Model| model.report().passes.iter().map(|summary| summary.saved.nodes).sum::<i64>();
    let (before, after) = all.report().nodes;
    assert_eq!(total(&all), before as i64 - after as i64, "the savings add up");
    let error = compile(&["magic"]).expect_err("no such pass").to_string();
    assert!(error.contains("`magic`") && error.contains("fold_constants"), "{error}");
}

/// What one pass does with a function of three axes at an opset.
struct Formula {
    name: &'static str,
    opset: i64,
    pass: &'static str,
    /// The operator that the pass writes, or the reason why it does not.
    expected: Result<&'static str, &'static str>,
    forward: fn(Tensor<3>) -> Tensor<3>,
}

fn own_softmax(x: Tensor<3>) -> Tensor<3> {
    let shifted = x.clone() - x.max_dim(2);
    let exponential = shifted.exp();
    exponential.clone() / exponential.sum_dim(2)
}

fn own_layer_norm(x: Tensor<3>) -> Tensor<3> {
    let device = x.device();
    let vector = |numbers: [f32; 4]| Tensor::<1>::from_data(numbers, &device).unsqueeze::<3>();
    let centred = x.clone() - x.mean_dim(2);
    let variance = (centred.clone() * centred.clone()).mean_dim(2);
    centred / (variance + 1e-5).sqrt() * vector([1.0, 0.5, 2.0, -1.0]) + vector([0.0, 0.1, 0.2, 0.3])
}

fn own_attention(x: Tensor<3>) -> Tensor<3> {
    let x: Tensor<4> = x.unsqueeze_dim(1);
    let (key, value) = (x.clone().tanh(), x.clone().exp());
    softmax(x.matmul(key.swap_dims(2, 3)) * 0.5, 3).matmul(value).squeeze_dim(1)
}

#[test]
fn formulas_become_the_richest_operator_of_the_opset() {
    let cases = [
        Formula { name: "softmax", opset: 13, pass: "fuse_softmax", expected: Ok("Softmax"), forward: own_softmax },
        Formula {
            name: "a softmax whose exponentials are read again",
            opset: 17,
            pass: "fuse_softmax",
            expected: Err("another reader"),
            forward: |x| {
                let exponential = (x.clone() - x.max_dim(2)).exp();
                exponential.clone() / exponential.clone().sum_dim(2) + exponential
            },
        },
        Formula {
            name: "exponentials that are not shifted",
            opset: 17,
            pass: "fuse_softmax",
            expected: Err("not shifted"),
            forward: |x| x.clone().exp() / x.exp().sum_dim(2),
        },
        Formula {
            name: "layer norm",
            opset: 17,
            pass: "fuse_layer_norm",
            expected: Ok("LayerNormalization"),
            forward: own_layer_norm,
        },
        Formula {
            name: "layer norm before its opset",
            opset: 16,
            pass: "fuse_layer_norm",
            expected: Err("opset 17"),
            forward: own_layer_norm,
        },
        Formula {
            name: "a norm of the middle axis",
            opset: 17,
            pass: "fuse_layer_norm",
            expected: Err("last axis"),
            forward: |x| {
                let centred = x.clone() - x.mean_dim(1);
                let variance = (centred.clone() * centred.clone()).mean_dim(1);
                centred / (variance + 1e-5).sqrt() * 2.0 + 1.0
            },
        },
        Formula { name: "gelu by tanh", opset: 20, pass: "fuse_gelu", expected: Ok("Gelu"), forward: gelu_approximate },
        Formula {
            name: "gelu by erf",
            opset: 20,
            pass: "fuse_gelu",
            expected: Ok("Gelu"),
            forward: |x| x.clone() * 0.5 * ((x / std::f32::consts::SQRT_2).erf() + 1.0),
        },
        Formula {
            name: "another factor",
            opset: 20,
            pass: "fuse_gelu",
            expected: Err("no product"),
            forward: |x| x.clone() * 0.5 * ((x / 1.5).erf() + 1.0),
        },
        Formula {
            name: "gelu before its opset",
            opset: 19,
            pass: "fuse_gelu",
            expected: Err("opset 20"),
            forward: gelu_approximate,
        },
        Formula {
            name: "rms norm",
            opset: 23,
            pass: "fuse_rms_norm",
            expected: Ok("RMSNormalization"),
            forward: |x| RmsNormConfig::new(4).init(&x.device()).forward(x),
        },
        Formula {
            name: "rms norm before its opset",
            opset: 22,
            pass: "fuse_rms_norm",
            expected: Err("opset 23"),
            forward: |x| RmsNormConfig::new(4).init(&x.device()).forward(x),
        },
        Formula {
            name: "attention",
            opset: 23,
            pass: "fuse_attention",
            expected: Ok("Attention"),
            forward: own_attention,
        },
        Formula {
            name: "attention before its opset",
            opset: 22,
            pass: "fuse_attention",
            expected: Err("opset 23"),
            forward: own_attention,
        },
        Formula {
            name: "a function between transposes",
            opset: 17,
            pass: "sink_transposes",
            expected: Ok("Tanh"),
            forward: |x| x.swap_dims(1, 2).tanh().swap_dims(1, 2),
        },
        Formula {
            name: "a function between transposes with another reader",
            opset: 17,
            pass: "sink_transposes",
            expected: Err("another reader"),
            forward: |x| {
                let middle = x.swap_dims(1, 2).tanh();
                middle.clone().swap_dims(1, 2) + middle.sum_dim(1).swap_dims(1, 2)
            },
        },
        Formula {
            name: "the same twice",
            opset: 17,
            pass: "share_subexpressions",
            expected: Ok("Exp"),
            forward: |x| x.clone().exp() + x.exp().tanh(),
        },
        Formula {
            name: "nearly the same twice",
            opset: 17,
            pass: "share_subexpressions",
            expected: Err("no two nodes"),
            forward: |x| softmax(x.clone(), 1) + softmax(x, 2),
        },
    ];
    let module = nothing();
    let mut wrong = Vec::new();
    for Formula { name, opset, pass, expected, forward } in cases {
        let forward = |_: &Relu, x: Tensor<3>| forward(x);
        let export = || {
            Export::new(&module)
                .opset(opset)
                .input("x", Tensor::<3>::zeros([2, 3, 4], &Device::flex()), [(0, "batch")])
                .outputs(["y"])
        };
        let plain = export().without_passes().compile(forward).expect("the function compiles");
        let model = export().compile(forward).expect("the function compiles");
        let found = differences(&module, &model, forward, BATCHES, EXACT);
        wrong.extend(found.into_iter().map(|text| format!("{name}: {text}\n{}", model.graph().dump())));
        let summary = model.report().passes.iter().find(|summary| summary.pass == pass).expect("a pass");
        let reason = summary.reason.clone().unwrap_or_default();
        let written = |operator: &str| model.graph().nodes.iter().any(|node| node.op == operator);
        let holds = match expected {
            Ok(operator) => !summary.fired.is_empty() && written(operator),
            Err(why) => summary.fired.is_empty() && reason.contains(why),
        };
        if !holds || model.graph().nodes.len() > plain.graph().nodes.len() || !model.report().settled {
            wrong.push(format!(
                "{name}: fired {:?}, reason `{reason}`, {} nodes of {}\n{}",
                summary.fired,
                model.graph().nodes.len(),
                plain.graph().nodes.len(),
                model.graph().dump()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn batch_norm(device: &Device) -> BatchNorm {
    use burn::module::{Param, RunningState};
    let draw = |low, high| Tensor::<1>::random([6], Distribution::Uniform(low, high), device);
    BatchNorm {
        gamma: Param::from_tensor(draw(0.5, 1.5)),
        beta: Param::from_tensor(draw(-0.5, 0.5)),
        running_mean: RunningState::new(draw(-0.5, 0.5)),
        running_var: RunningState::new(draw(0.5, 2.0)),
        ..BatchNormConfig::new(6).init(device)
    }
}

#[test]
fn normalisations_go_into_every_layer_before_them() {
    let device = Device::flex();
    let norm = batch_norm(&device);
    let mut table = Table::default();
    for (groups, bias) in [(1, true), (2, false)] {
        let layers = (
            Conv1dConfig::new(4, 6, 3).with_groups(groups).with_bias(bias).init(&device),
            Conv2dConfig::new([4, 6], [3, 2]).with_groups(groups).with_bias(bias).init(&device),
            ConvTranspose2dConfig::new([4, 6], [3, 2]).with_groups(groups).with_bias(bias).init(&device),
            LinearConfig::new(4, 6).with_bias(bias).init(&device),
        );
        let name = format!("groups {groups} bias {bias}");
        let (a, b, c, d) = layers;
        let (a, b, c, d) = ((a, norm.clone()), (b, norm.clone()), (c, norm.clone()), (d, norm.clone()));
        table.layer(&format!("conv1d, {name}"), &a, [2, 4, 5], |(l, n), x: Tensor<3>| n.forward(l.forward(x)));
        table.layer(&format!("conv2d, {name}"), &b, [2, 4, 5, 5], |(l, n), x: Tensor<4>| n.forward(l.forward(x)));
        table.layer(&format!("transposed, {name}"), &c, [2, 4, 5, 5], |(l, n), x: Tensor<4>| n.forward(l.forward(x)));
        table.layer(&format!("linear, {name}"), &d, [2, 4], |(l, n), x: Tensor<2>| n.forward(l.forward(x)));
    }
    table.finish();
}

#[test]
fn every_pass_has_its_line_in_the_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/passes.md");
    let text = std::fs::read_to_string(path).expect("docs/passes.md");
    let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut passes: Vec<&str> = PIPELINE.iter().map(|pass| pass.name()).collect();
    for rewrite in TARGETS.iter().flat_map(|target| target.rewrites) {
        if !passes.contains(&rewrite.name()) {
            passes.push(rewrite.name());
        }
    }
    assert_eq!(listed, passes, "the passes in the order in which they run, then those of the targets");
}
