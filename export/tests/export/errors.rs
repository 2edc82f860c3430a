//! What cannot be exported is refused with the place and the way out.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_ir::{NumericOperationIr, OperationIr};
use selfie_export::ir::{Constant, attributes};
use selfie_export::lower::{Context, Lowered, Lowering};
use selfie_export::{Axis, DynTensor, Error, Export};

use crate::support::{BATCHES, EXACT, Table, differences};

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

fn net(device: &Device) -> Net {
    let linear = || LinearConfig::new(3, 3).init(device);
    Net { first: linear(), second: linear() }
}

fn refusal(forward: impl Fn(&Net, Tensor<2>) -> Tensor<2>) -> String {
    let device = Device::flex();
    let module = net(&device);
    let model = Export::new(&module)
        .input("x", Tensor::<2>::zeros([2, 3], &device), [(0, "batch")])
        .outputs(["y"])
        .compile(forward);
    match model {
        Ok(model) => format!("it compiles:\n{}", model.graph().dump()),
        Err(error) => chain(&error),
    }
}

/// The error and what is behind it.
fn chain(error: &Error) -> String {
    let sources = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    sources.map(|error| error.to_string()).collect::<Vec<_>>().join(": ")
}

fn between(module: &Net, x: Tensor<2>, middle: impl Fn(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
    module.second.forward(middle(module.first.forward(x)))
}

#[test]
fn every_refusal_names_the_place_and_the_reason() {
    type Forward = fn(&Net, Tensor<2>) -> Tensor<2>;
    let cases: [(&str, Forward, &[&str]); 9] = [
        (
            "another path at another size",
            |m, x| if x.dims()[0] == 2 { m.first.forward(x) } else { m.second.forward(x.tanh()) },
            &["path", "operation 0", "Module::Linear", "batch=2", "Float::Tanh", "batch=3"],
        ),
        (
            "a longer path at another size",
            |m, x| (0..x.dims()[0]).fold(m.first.forward(x), |x, _| x.tanh()),
            &[
                "loops over a dynamic axis",
                "3 operations with batch=2",
                "operation 3",
                "the end",
                "Float::Tanh",
                "batch=3",
            ],
        ),
        (
            "a constant made of the size as the output",
            |_, x| {
                let batch = x.dims()[0];
                let squares: Vec<f32> = (0..batch).map(|index| (index * index) as f32).collect();
                Tensor::from_data(TensorData::new(squares, [batch, 1]), &x.device())
            },
            &["constant", "depends on the size", "equal steps"],
        ),
        (
            "the sine of the size",
            |m, x| {
                let sine = (x.dims()[0] as f32).sin();
                between(m, x, |x| x / sine)
            },
            &["NumericFloat::DivScalar", "depends on the size", "reciprocal, root or logarithm"],
        ),
        (
            "a constant made of the size",
            |m, x| {
                let batch = x.dims()[0];
                between(m, x, |x| {
                    let squares: Vec<i64> = (0..batch as i64).map(|index| index * index).collect();
                    let squares = Tensor::<1, Int>::from_data(squares.as_slice(), &x.device()).float();
                    x + squares.reshape([batch, 1])
                })
            },
            &["constant", "depends on the size", "equal steps"],
        ),
        (
            "random numbers",
            |m, x| between(m, x, |x| x.random_like(burn::tensor::Distribution::Default)),
            &["Float::Random", "make them an input", "lowerings"],
        ),
        (
            "a panic",
            |m, x| between(m, x, |_| Tensor::from_data([[1.0f32]], &Device::flex())),
            &["recording the module", "batch=2"],
        ),
        (
            "an axis that the network fixes by a shape",
            |m, x| m.first.forward(x).reshape([3, 2]).matmul(Tensor::ones([2, 3], &m.first.weight.device())),
            &["runs with batch=2 but not with batch=3", "leave that axis out"],
        ),
        (
            "an axis that the network fixes by a weight",
            |m, x| m.first.forward(x) + m.second.weight.val().narrow(0, 0, 2),
            &["runs with batch=2 but not with batch=3", "leave that axis out"],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, forward, expected) in cases {
        let text = refusal(forward);
        let missing: Vec<_> = expected.iter().filter(|part| !text.contains(**part)).collect();
        if !missing.is_empty() {
            wrong.push(format!("{name}: {missing:?} is missing in: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_loop_over_a_dynamic_length_is_refused_with_the_way_out() {
    let device = Device::flex();
    let module = burn::nn::LstmConfig::new(3, 4, true).with_clip(Some(1.0)).init(&device);
    let example = Tensor::<3>::zeros([2, 5, 3], &device);
    let forward = |m: &burn::nn::Lstm, x: Tensor<3>| m.forward(x, None).1.hidden;
    let export = || Export::new(&module).outputs(["last"]);
    let refused = export().input("x", example.clone(), [(0, "batch"), (1, "length")]).compile(forward);
    let text = refused.map(|_| "it compiles".to_string()).unwrap_or_else(|error| chain(&error));
    let expected = [
        "loops over a dynamic axis",
        "without clipping",
        "batch=2, length=5",
        "batch=2, length=6",
        "make the axis fixed",
        "state",
    ];
    let missing: Vec<_> = expected.iter().filter(|part| !text.contains(**part)).collect();
    assert!(missing.is_empty(), "{missing:?} is missing in: {text}");
    export().input("x", example, [(0, "batch")]).compile(forward).expect("the way out that the error names works");
}

#[test]
fn modules_on_unsuitable_devices_are_refused() {
    let device = Device::flex().autodiff();
    let module = net(&device);
    let export = |module: &Net| {
        Export::new(module)
            .input("x", Tensor::<2>::zeros([2, 3], &Device::flex()), [(0, "batch")])
            .outputs(["y"])
            .compile(|m: &Net, x: Tensor<2>| m.first.forward(x))
    };
    assert!(matches!(export(&module), Err(Error::Autodiff)));
    export(&module.valid()).expect("the way out that the error names works");
    let elsewhere = LinearConfig::new(3, 3).init(&Device::capture());
    let torn = Net { second: elsewhere, ..net(&Device::flex()) };
    let error = export(&torn).expect_err("two devices").to_string();
    assert!(error.contains("lie on 2 devices") && error.contains("to_device"), "{error}");
}

#[test]
fn quantised_numbers_are_refused() {
    use burn::module::Quantizer;
    use burn::tensor::quantization::{Calibration, QuantScheme};
    let device = Device::flex();
    let mut quantizer = Quantizer::new(Calibration::MinMax, QuantScheme::default());
    let module = net(&device).quantize_weights(&mut quantizer);
    let error = Export::new(&module)
        .input("x", Tensor::<2>::zeros([2, 3], &device), [(0, "batch")])
        .outputs(["y"])
        .compile(|m: &Net, x: Tensor<2>| m.first.forward(x))
        .expect_err("8 bits");
    assert!(error.to_string().contains("`first.weight` is quantised"), "{error}");
}

#[test]
fn wrong_requests_are_refused() {
    let device = Device::flex();
    let module = net(&device);
    let example = || Tensor::<2>::zeros([2, 3], &device);
    let forward = |m: &Net, x: Tensor<2>| m.first.forward(x);
    let named = |input: &str, output: &str| {
        Export::new(&module).input(input, example(), [(0, "batch")]).outputs([output.to_string()])
    };
    let axis = |axis: Axis| Export::new(&module).input("x", example(), [axis]).outputs(["y"]);
    let cases = [
        ("a name twice", named("x", "x").compile(forward), "used twice"),
        (
            "one axis name for two sizes",
            Export::new(&module)
                .input("x", example(), [(0, "batch")])
                .input("y", Tensor::<2>::zeros([4, 3], &device), [(0, "batch")])
                .outputs(["sum"])
                .compile(|_: &Net, (x, y): (Tensor<2>, Tensor<2>)| x.sum() + y.sum()),
            "axis `batch` has the sizes",
        ),
        ("an empty name", named("", "y").compile(forward), "empty"),
        ("an empty axis name", axis(Axis::new(0, "")).compile(forward), "axis 0 of input `x` is empty"),
        (
            "an axis under two names",
            Export::new(&module).input("x", example(), [(0, "a"), (0, "b")]).outputs(["y"]).compile(forward),
            "axis 0 of input `x` is named twice",
        ),
        ("no such axis", axis(Axis::new(2, "depth")).compile(forward), "no axis 2"),
        ("equal sizes", axis(Axis::new(0, "batch").sizes([2, 2, 3])).compile(forward), "must differ"),
        (
            "too many outputs",
            named("x", "y").compile(|m: &Net, x: Tensor<2>| (m.first.forward(x.clone()), x)),
            "expected 1 outputs",
        ),
        ("another rank", named("x", "y").compile(|_: &Net, x: Tensor<3>| x), "Float tensor of rank 3"),
        ("another kind", named("x", "y").compile(|_: &Net, x: Tensor<2, Int>| x), "Int tensor of rank 2"),
        ("more inputs", named("x", "y").compile(|_: &Net, (x, _y): (Tensor<2>, Tensor<2>)| x), "2 inputs"),
        ("another opset", named("x", "y").opset(7).compile(forward), "opset 7"),
        ("an unknown pass", named("x", "y").stop_after("magic").compile(forward), "no pass is called `magic`"),
        (
            "a foreign output",
            named("x", "y")
                .compile(|_: &Net, _: Tensor<2>| vec![DynTensor::from(Tensor::<1>::zeros([1], &Device::flex()))]),
            "on the device of the module",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, result, expected) in cases {
        let text = result.map(|_| "it compiles".to_string()).unwrap_or_else(|error| error.to_string());
        if !text.contains(expected) {
            wrong.push(format!("{name}: expected `{expected}` in: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cumulative_sum(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered, Error> {
    let OperationIr::NumericFloat(_, NumericOperationIr::CumSum(ir)) = operation else { return Ok(Lowered::NotMine) };
    let input = context.input(&ir.input)?;
    let axis = context.constant(Constant::from_bytes(
        selfie_export::ir::ElementType::I64,
        vec![],
        (ir.axis as i64).to_le_bytes().to_vec(),
    ));
    context.finish(&ir.out, "CumSum", &[input, axis], attributes([("reverse", 0.into())]))?;
    Ok(Lowered::Done)
}

#[test]
fn a_lowering_of_the_caller_is_used() {
    let device = Device::flex();
    let module = net(&device);
    let forward = |m: &Net, x: Tensor<2>| between(m, x, |x| x.cumsum(1));
    let model = Export::new(&module)
        .input("x", Tensor::<2>::zeros([2, 3], &device), [(0, "batch")])
        .outputs(["y"])
        .lowerings(&[Lowering { name: "cumulative_sum", operations: &[], lower: cumulative_sum }])
        .compile(forward);
    let mut table = Table::default();
    table.judge("cumulative sum", model, |model| {
        assert!(model.graph().dump().contains("reverse=0"), "{}", model.graph().dump());
        differences(&module, model, forward, BATCHES, EXACT)
    });
    table.finish();
}
