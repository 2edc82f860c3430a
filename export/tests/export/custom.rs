//! Operations of the caller's own, as another crate would define them.

use burn::backend::ir::OperationIr;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use selfie_export::ir::attributes;
use selfie_export::lower::{Context, Lowered, Lowering};
use selfie_export::{Error, Export, custom};

use crate::support::{BATCHES, EXACT, Table, differences, differences_on, runners};
use crate::weights::drawn;

/// `x + sin²(αx) / α`.
fn snake<const D: usize>(x: Tensor<D>, alpha: f64) -> Tensor<D> {
    let dims = x.dims();
    custom("snake", x, &[alpha], dims, |x| x.clone() + (x * alpha).sin().square() / alpha)
}

fn snake_nodes(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered, Error> {
    let OperationIr::Custom(custom) = operation else { return Ok(Lowered::NotMine) };
    if custom.id != "snake" {
        return Ok(Lowered::NotMine);
    }
    let x = context.input(&custom.inputs[0])?;
    let alpha = context.number(custom.scalars[0].elem(), context.dtype(x));
    let scaled = context.same("Mul", &[x, alpha], attributes([]));
    let sine = context.same("Sin", &[scaled], attributes([]));
    let square = context.same("Mul", &[sine, sine], attributes([]));
    let wave = context.same("Div", &[square, alpha], attributes([]));
    context.finish(&custom.outputs[0], "Add", &[x, wave], attributes([]))?;
    Ok(Lowered::Done)
}

/// `x · σ(αx) · y`, of two tensors.
fn gated(x: Tensor<2>, y: Tensor<2>, alpha: f64) -> Tensor<2> {
    let dims = x.dims();
    custom("gated", (x, y), &[alpha], dims, |(x, y)| x.clone() * sigmoid(x * alpha) * y)
}

fn gated_nodes(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered, Error> {
    let OperationIr::Custom(custom) = operation else { return Ok(Lowered::NotMine) };
    if custom.id != "gated" {
        return Ok(Lowered::NotMine);
    }
    let (x, y) = (context.input(&custom.inputs[0])?, context.input(&custom.inputs[1])?);
    let alpha = attributes([("alpha", custom.scalars[0].elem::<f32>().into())]);
    let gate = context.node_of("com.microsoft", "QuickGelu", &[x], alpha);
    context.finish(&custom.outputs[0], "Mul", &[gate, y], attributes([]))?;
    Ok(Lowered::Done)
}

fn layer() -> Linear {
    drawn(LinearConfig::new(3, 4).init(&Device::flex()))
}

fn export(module: &Linear) -> Export<'_, Linear> {
    Export::new(module).input("x", Tensor::<2>::zeros([2, 3], &Device::flex()), [(0, "batch")]).outputs(["y"])
}

#[test]
fn an_operation_of_the_caller_is_lowered_by_the_caller() {
    let module = layer();
    let forward = |m: &Linear, x: Tensor<2>| snake(m.forward(x), 0.7).exp();
    let model =
        export(&module).lowerings(&[Lowering { name: "snake", operations: &[], lower: snake_nodes }]).compile(forward);
    let mut table = Table::default();
    table.judge("snake", model, |model| differences(&module, model, forward, BATCHES, EXACT));
    table.finish();
}

/// An operator that only one runtime has keeps its domain, and passes leave it alone.
#[test]
fn an_operation_may_become_an_operator_of_another_domain() {
    let module = layer();
    let forward = |m: &Linear, x: Tensor<2>| {
        let x = m.forward(x);
        gated(x.clone(), x + 1.0, 1.702)
    };
    let model = export(&module)
        .lowerings(&[Lowering { name: "gated", operations: &[], lower: gated_nodes }])
        .compile(forward)
        .expect("the lowering takes it");
    assert!(model.graph().nodes.iter().any(|node| node.domain == "com.microsoft"), "{}", model.graph().dump());
    let mut runners = runners();
    runners.retain(|runner| runner.name() != "tract");
    let wrong = differences_on(runners, &module, &model, forward, BATCHES, EXACT);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_operation_without_a_lowering_is_refused_by_name() {
    let module = layer();
    let refused = export(&module).compile(|m: &Linear, x: Tensor<2>| snake(m.forward(x), 0.7));
    let text = refused.map_or_else(|error| error.to_string(), |_| "it compiles".to_string());
    for part in ["Custom::snake", "no lowering", "Export::lowerings"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[test]
fn outside_of_a_compilation_the_function_runs() {
    let x = Tensor::<1>::from_data([0.5f32, -1.0], &Device::flex());
    let y: Vec<f32> = snake(x, 2.0).into_data().iter().collect();
    let expected = [0.5f32, -1.0].map(|x| x + (2.0 * x).sin().powi(2) / 2.0);
    assert!(y.iter().zip(expected).all(|(y, expected)| (y - expected).abs() < 1e-6), "{y:?} {expected:?}");
}
