use super::*;
use crate::ir::{Attributes, GraphOutput};
use crate::shapes::Dim;

/// `y = Softmax(Relu(x · w + b))`, with the numbers of `b`.
fn model(bias: [f32; 2]) -> Model {
    let mut graph = Graph::default();
    let shape = vec![Dim::Fixed(1), Dim::Fixed(2)];
    let named = |name: &str| Value { name: Some(name.into()), ..Value::computed(ElementType::F32, shape.clone()) };
    let x = graph.push_value(named("x"));
    let w = Constant::f32(vec![2, 2], &[1.0, 0.0, 1e-12, 1.0]);
    let w = graph.push_value(Value::constant(w, Some("fc.weight".into())));
    let b = graph.push_value(Value::constant(Constant::f32(vec![2], &bias), Some("fc.bias".into())));
    let [h, r, y] = [0; 3].map(|_| graph.push_value(Value::computed(ElementType::F32, shape.clone())));
    let node =
        |op: &str, inputs: &[ValueId], output, path: &str| Node::new(op, inputs, vec![output], Attributes::new(), path);
    graph.nodes = vec![node("Gemm", &[x, w, b], h, "fc"), node("Relu", &[h], r, ""), node("Softmax", &[r], y, "")];
    graph.inputs.push(x);
    graph.outputs.push(GraphOutput { name: "y".into(), value: y });
    Model::new(graph, "main".into(), String::new(), BTreeMap::new(), Default::default())
}

fn half(dtype: HalfType, keep: &[&str], io: bool) -> Half {
    Half { dtype, keep: Keep(keep.iter().map(|pattern| pattern.to_string()).collect()), io }
}

fn operators(model: &Model) -> Vec<&str> {
    model.graph().nodes.iter().map(|node| node.op.as_str()).collect()
}

#[test]
fn casts_stand_where_the_type_changes_and_nowhere_else() {
    let cases: [(Half, &[&str]); 5] = [
        (half(HalfType::F16, &[], false), &["Cast", "Gemm", "Relu", "Cast", "Softmax"]),
        (half(HalfType::F16, &["fc"], false), &["Gemm", "Cast", "Relu", "Cast", "Softmax"]),
        (half(HalfType::F16, &["fc", "Relu"], false), &["Gemm", "Relu", "Softmax"]),
        (half(HalfType::F16, &[], true), &["Gemm", "Relu", "Cast", "Softmax", "Cast"]),
        (half(HalfType::BF16, &[], false), &["Cast", "Cast", "Gemm", "Relu", "Softmax"]),
    ];
    for (half, expected) in cases {
        let mut model = model([0.5, 0.0]);
        model.to_half(&half).unwrap();
        assert_eq!(operators(&model), expected, "{half:?}\n{}", model.graph().dump());
    }
}

#[test]
fn the_report_counts_nodes_casts_and_weights_that_became_zero() {
    let report = model([0.5, 0.0]).to_half(&half(HalfType::F16, &[], false)).unwrap();
    assert_eq!(report, HalfReport { half: 2, stored: 0, kept: vec!["Softmax".into()], casts: 2, flushed: 1 });
}

#[test]
fn a_weight_beyond_the_range_is_named_and_infinity_stays() {
    let error = model([1e6, 0.0]).to_half(&half(HalfType::F16, &[], false)).unwrap_err().to_string();
    for part in ["fc.bias", "fc/Gemm", "1000000", "float16"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    model([1e6, 0.0]).to_half(&half(HalfType::BF16, &[], false)).unwrap();
    model([1e6, 0.0]).to_half(&half(HalfType::F16, &["fc"], false)).unwrap();
    model([f32::NEG_INFINITY, 0.0]).to_half(&half(HalfType::F16, &[], false)).unwrap();
}
