use burn::module::Module;
use burn::nn::activation::ActivationConfig;
use burn::nn::{BiGruConfig, BiLstmConfig, GruConfig, LstmConfig, RnnConfig};
use burn::tensor::{Device, Tensor};

use super::*;
use crate::DynTensor;
use crate::capture::linear::fold_linear;
use crate::shapes::operation_name;

/// What is recorded of a module over five steps of three numbers, and the tensors that it returns.
fn recorded<M: Module>(module: M, forward: impl Fn(&M, Tensor<3>) -> Tensor<3>) -> (Vec<OperationIr>, Vec<TensorId>) {
    let device = Device::capture();
    let mut outputs = vec![];
    let graph = device.capture_scope(|scope| {
        let module = module.to_device(&device);
        let x = Tensor::<3>::from_data([[[0.5f32; 3]; 5]; 2], &device);
        outputs.push(DynTensor::from(forward(&module, x)).capture_id().unwrap());
        scope.complete([], [])
    });
    let mut operations = graph.unwrap().graph.operations;
    // Weights that nobody has looked at yet are drawn on the way to the device.
    let is_weight = |operation: &OperationIr| operation_name(operation) == "Float::Random";
    operations
        .retain(|operation| !matches!(operation, OperationIr::Init(_) | OperationIr::Drop(_)) && !is_weight(operation));
    (fold_linear(operations, &outputs), outputs)
}

fn names<M: Module>(module: M, forward: impl Fn(&M, Tensor<3>) -> Tensor<3>) -> Vec<String> {
    let (operations, outputs) = recorded(module, forward);
    fold_recurrent(operations, &outputs).iter().map(operation_name).collect()
}

#[test]
fn every_layer_of_burn_becomes_one_operation() {
    let device = Device::flex();
    let lstm = LstmConfig::new(3, 4, true);
    let gru = GruConfig::new(3, 4, true);
    let cases = [
        (names(lstm.clone().init(&device), |m, x| m.forward(x, None).0), "selfie.LSTM"),
        (names(lstm.clone().with_reverse(true).init(&device), |m, x| m.forward(x, None).0), "selfie.LSTM"),
        (names(LstmConfig::new(3, 4, false).init(&device), |m, x| m.forward(x, None).0), "selfie.LSTM"),
        (names(gru.clone().init(&device), |m, x| m.forward(x, None)), "selfie.GRU"),
        (names(gru.with_reset_after(false).init(&device), |m, x| m.forward(x, None)), "selfie.GRU.reset_before"),
        (names(GruConfig::new(3, 4, false).init(&device), |m, x| m.forward(x, None)), "selfie.GRU"),
        (names(RnnConfig::new(3, 4, true).init(&device), |m, x| m.forward(x, None).0), "selfie.RNN"),
    ];
    let wrong: Vec<_> = cases.iter().filter(|(found, id)| *found != [format!("Custom::{id}")]).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn both_directions_become_one_operation_and_their_states_are_stacked_as_before() {
    let device = Device::flex();
    let lstm = names(BiLstmConfig::new(3, 4, true).init(&device), |m, x| m.forward(x, None).0);
    let gru = names(BiGruConfig::new(3, 4, true).init(&device), |m, x| m.forward(x, None).0);
    let stack = ["BaseFloat::Reshape", "BaseFloat::Reshape", "BaseFloat::Cat"];
    assert_eq!(lstm, [&["Custom::selfie.LSTM"], &stack[..], &stack[..]].concat());
    assert_eq!(gru, [&["Custom::selfie.GRU"], &stack[..]].concat());
}

#[test]
fn another_formula_stays_as_it_was_recorded() {
    let device = Device::flex();
    let lstm = LstmConfig::new(3, 4, true);
    let cases = [
        ("clipped", lstm.clone().with_clip(Some(1.0))),
        ("coupled", lstm.clone().with_input_forget(true)),
        ("gates", lstm.clone().with_gate_activation(ActivationConfig::Relu)),
        ("cell", lstm.clone().with_cell_activation(ActivationConfig::Relu)),
        ("hidden", lstm.clone().with_hidden_activation(ActivationConfig::Sigmoid)),
    ];
    for (name, config) in cases {
        let (operations, outputs) = recorded(config.init(&device), |m, x| m.forward(x, None).0);
        let before = operations.len();
        assert_eq!(fold_recurrent(operations, &outputs).len(), before, "{name}");
    }
}

#[test]
fn a_tensor_inside_that_is_read_elsewhere_keeps_the_loop() {
    let layer = LstmConfig::new(3, 4, true).init(&Device::flex());
    let (operations, outputs) = recorded(layer, |m, x| m.forward(x, None).0);
    let folded = fold_recurrent(operations.clone(), &outputs);
    assert_eq!(folded.len(), 1);
    let outside: Vec<TensorId> = folded[0].outputs().map(|tensor| tensor.id).collect();
    let mut tried = 0;
    for operation in operations.iter().filter(|operation| !operation_name(operation).ends_with("Zeros")) {
        let id = operation.outputs().next().unwrap().id;
        let kept = fold_recurrent(operations.clone(), &[outputs[0], id]).len() == operations.len();
        assert_eq!(kept, !outside.contains(&id), "{}", operation_name(operation));
        tried += usize::from(kept);
    }
    assert!(tried > 50, "{tried} tensors lie inside");
}
