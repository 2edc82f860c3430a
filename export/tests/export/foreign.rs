//! Files that other tools wrote, simplified: smaller, the same numbers in ONNX Runtime, and what no pass knows as it was.
//! `tests/python/make_foreign.py` makes the files.

use std::path::{Path, PathBuf};

use prost::Message;
use selfie_export::OnnxFile;
use selfie_export::passes::Driver;
use selfie_export::verify::{Case, OnnxRuntime, Runner, verify_file};
use tract_onnx::pb;

use crate::support::NETWORK;

/// What the digest of the file adds to its metadata.
const DIGEST_BYTES: usize = 100;

/// A file and the operators that are left of it.
const FILES: &[(&str, &[&str])] = &[
    ("subgraphs", &["Relu", "ReduceSum", "Greater", "If", "Loop"]),
    ("functions", &["Relu", "Add", "Twice", "Relu"]),
    ("contributed", &["Gemm", "Gelu", "Gemm"]),
    ("convolution", &["Conv", "Relu", "Reshape", "Unsqueeze", "Squeeze"]),
    ("replaceable", &["Gemm", "Add", "Add"]),
    ("sequences", &["SplitToSequence", "ConcatFromSequence", "LSTM", "TopK"]),
    ("quantised", &["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "DequantizeLinear", "Gemm"]),
    ("zero_sizes", &["Reshape", "Reshape", "Concat"]),
    ("random_numbers", &["RandomNormalLike", "Mul", "Add"]),
    ("external", &["Gemm"]),
    ("sklearn_forest", &[]),
    ("sklearn_mlp", &[]),
    ("torch_attention", &[]),
    ("torch_attention_raw", &[]),
    ("torch_convolutions", &[]),
    ("torch_convolutions_raw", &[]),
    ("torchscript_convolutions", &[]),
];

/// Files of older opsets.
const OLDER: &[&str] = &["opset_7", "torchscript_9", "opset_10", "opset_12"];

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(format!("{name}.onnx"))
}

fn proto(path: &Path) -> pb::ModelProto {
    let bytes = std::fs::read(path).expect("the file");
    pb::ModelProto::decode(bytes.as_slice()).expect("a model")
}

fn graph(model: &pb::ModelProto) -> &pb::GraphProto {
    model.graph.as_ref().expect("a graph")
}

/// Simplifies a file into a folder.
fn optimized(name: &str, folder: &Path) -> (OnnxFile, PathBuf) {
    let mut file = OnnxFile::read(place(name)).expect("the file is read");
    file.optimize(&Driver::default()).expect("the passes run");
    let path = folder.join(format!("{name}.onnx"));
    file.save(&path).expect("the file is written");
    (file, path)
}

#[test]
fn foreign_files_get_smaller_and_answer_the_same() {
    let runtime = OnnxRuntime::from_env().expect("ORT_DYLIB_PATH names a library that loads");
    if runtime.is_none() {
        eprintln!("SKIPPED: ONNX Runtime, for ORT_DYLIB_PATH is not set; foreign files are read and written alone");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for (name, expected) in FILES {
        let (file, path) = optimized(name, folder.path());
        let (before, after) = (proto(&place(name)), proto(&path));
        let operators: Vec<&str> = graph(&after).node.iter().map(|node| node.op_type.as_str()).collect();
        eprintln!("{name}: {} nodes of {}", operators.len(), graph(&before).node.len());
        if !expected.is_empty() && operators != *expected {
            wrong.push(format!("{name}: {operators:?}\n{}", file.dump()));
        }
        if operators.len() > graph(&before).node.len() {
            wrong.push(format!("{name}: more nodes\n{}", file.dump()));
        }
        let (from, to) = (weighed(&before), weighed(&after));
        if to > from + DIGEST_BYTES {
            wrong.push(format!("{name}: {to} bytes of {from}"));
        }
        wrong.extend(differences(name, &file, &path, runtime.as_ref()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What ONNX Runtime, with and without optimisations of its own, answers otherwise than to the original.
fn differences(name: &str, file: &OnnxFile, path: &Path, runtime: Option<&OnnxRuntime>) -> Vec<String> {
    let mut wrong = Vec::new();
    for runtime in runtime.into_iter().flat_map(|r| [r.clone(), r.clone().without_optimizer()]) {
        let cases = cases(file, &place(name), &runtime);
        let rows = verify_file(path, &cases, &[&runtime], NETWORK).expect("ONNX Runtime loads the file");
        wrong.extend(rows.into_iter().filter(|row| !row.ok).map(|row| format!("{name}: {row}")));
    }
    wrong
}

#[test]
fn older_files_answer_the_same_at_opset_13() {
    let runtime = OnnxRuntime::from_env().expect("ORT_DYLIB_PATH names a library that loads");
    if runtime.is_none() {
        eprintln!("SKIPPED: ONNX Runtime, for ORT_DYLIB_PATH is not set; older files are read and written alone");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for name in OLDER {
        let (file, path) = optimized(name, folder.path());
        let after = proto(&path);
        assert_eq!((after.opset_import[0].version, after.ir_version), (13, after.ir_version.max(7)), "{name}");
        assert_eq!(graph(&after).input.len(), 1, "{name}: weights are no inputs");
        wrong.extend(differences(name, &file, &path, runtime.as_ref()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let kinds = |name: &str| {
        let nodes = proto(&folder.path().join(format!("{name}.onnx")));
        graph(&nodes).node.iter().map(|node| node.op_type.clone()).collect::<Vec<_>>()
    };
    assert!(!kinds("torchscript_9").contains(&"BatchNormalization".to_string()), "the passes see the weights");
    assert_eq!(kinds("opset_12"), ["Shape", "Flatten", "Softmax", "Reshape"]);
}

#[test]
fn what_opset_13_has_no_counterpart_of_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |node: pb::NodeProto, name: &str, i: i64| pb::NodeProto {
        attribute: vec![pb::AttributeProto { name: name.into(), r#type: 2, i, ..Default::default() }],
        ..node
    };
    let masked = pb::NodeProto { output: vec!["kept".into(), "y".into()], ..node("Dropout", &["x"], "") };
    let norm = with(node("BatchNormalization", &["x", "x", "x", "x", "x"], "y"), "spatial", 0);
    for (opset, node, expected) in [
        (6, node("Relu", &["x"], "y"), "opset 6 is not supported; the supported ones are 7 to 24"),
        (25, node("Relu", &["x"], "y"), "opset 25 is not supported"),
        (
            7,
            norm,
            "the BatchNormalization that makes `y` of opset 7 has no counterpart in opset 13: it normalises every",
        ),
        (8, node("Scan", &["", "x"], "y"), "whole batches"),
        (10, masked, "mask is read"),
        (10, node("Resize", &["x", "x"], "y"), "scales are no constant"),
    ] {
        let path = written_at(opset, folder.path(), Some(&[2]), vec![node], &[]);
        let text = OnnxFile::read(path).expect_err(expected).to_string();
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
}

#[test]
fn divisions_that_end_the_process_of_onnx_runtime_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |op: &str, divided: i64, divisor: i64| {
        let nodes = vec![
            node("Sub", &["divisor", "nothing"], "computed"),
            node(op, &["divided", "computed"], "shape"),
            node("Reshape", &["x", "shape"], "y"),
        ];
        let integers: [(&str, &[i64]); 3] = [("divided", &[divided]), ("divisor", &[divisor]), ("nothing", &[0])];
        let mut file = OnnxFile::read(written(folder.path(), Some(&[2]), nodes, &integers)).expect("the file is read");
        file.optimize(&Driver::default())
    };
    for (op, divided, divisor, expected) in [
        ("Div", 4, 0, "Div divides integers by zero"),
        ("Mod", 4, 0, "Mod divides integers by zero"),
        ("Div", i64::MIN, -1, "Div divides the least integer by -1"),
        ("Mod", i64::MIN, -1, "Mod divides the least integer by -1"),
    ] {
        let text = file(op, divided, divisor).expect_err(expected).to_string();
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    file("Div", -4, -2).expect("a division that is possible");
}

/// The size of a file with its external data.
fn weighed(model: &pb::ModelProto) -> usize {
    let entries = graph(model).initializer.iter().flat_map(|tensor| &tensor.external_data);
    let external: usize =
        entries.filter(|entry| entry.key == "length").filter_map(|e| e.value.parse::<usize>().ok()).sum();
    model.encoded_len() + external
}

fn cases(file: &OnnxFile, original: &Path, runtime: &OnnxRuntime) -> Vec<Case> {
    let mut session = runtime.load_file(original).expect("ONNX Runtime loads the original");
    let mut cases = Vec::new();
    for size in [1, 5] {
        let sizes: Vec<(&str, usize)> = file.dynamic_axes().into_iter().map(|axis| (axis, size)).collect();
        let inputs = file.random_inputs(&sizes, size as u64).expect("random inputs");
        let expected = session.run(&inputs).expect("the original runs").into_iter().map(|(_, data)| data).collect();
        cases.push(Case::new(inputs, expected));
    }
    cases
}

#[test]
fn what_no_pass_knows_is_written_as_it_was_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, _) in FILES {
        let (_, path) = optimized(name, folder.path());
        let (before, after) = (proto(&place(name)), proto(&path));
        assert_eq!(before.opset_import, after.opset_import, "{name}");
        assert_eq!(before.functions, after.functions, "{name}");
        assert_eq!((before.ir_version, &before.producer_name), (after.ir_version, &after.producer_name), "{name}");
        assert_eq!(graph(&before).input, graph(&after).input, "{name}");
        assert_eq!(graph(&before).output, graph(&after).output, "{name}");
        let strange = |model: &pb::ModelProto| {
            let nodes = graph(model).node.iter().filter(|node| !["", "ai.onnx"].contains(&node.domain.as_str()));
            nodes.map(|node| pb::NodeProto { input: vec![], output: vec![], ..node.clone() }).collect::<Vec<_>>()
        };
        assert_eq!(strange(&before), strange(&after), "{name}");
    }
    let trees = proto(&folder.path().join("sklearn_forest.onnx"));
    assert!(graph(&trees).node.iter().any(|node| node.domain == "ai.onnx.ml"), "{trees:?}");
}

#[test]
fn a_second_run_makes_nothing_larger() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, _) in FILES {
        let (file, path) = optimized(name, folder.path());
        let first = std::fs::metadata(&path).expect("the file").len();
        let mut again = OnnxFile::read(&path).expect("our file is read");
        again.optimize(&Driver::default()).expect("the passes run");
        again.save(&path).expect("the file is written");
        let second = std::fs::metadata(&path).expect("the file").len();
        assert!(
            again.nodes() <= file.nodes() && second <= first,
            "{name}: {second} bytes of {first}\n{}",
            again.dump()
        );
    }
}

#[test]
fn files_that_cannot_be_simplified_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.onnx");
    let alone = folder.path().join("external.onnx");
    let whole = std::fs::read(place("torch_attention")).expect("the file");
    std::fs::write(&broken, &whole[..whole.len() / 2]).expect("the folder is ours");
    std::fs::copy(place("external"), &alone).expect("the folder is ours");
    for (path, part) in [(place("missing"), "missing.onnx"), (broken, "broken.onnx"), (alone, "external.weights")] {
        let error = OnnxFile::read(&path).expect_err(part);
        assert!(error.to_string().contains(part), "{part} is not in {error}");
    }
}

/// A file of nodes between one input of these sizes and the output `y`, with initialisers of integers.
fn written(folder: &Path, sizes: Option<&[i64]>, nodes: Vec<pb::NodeProto>, integers: &[(&str, &[i64])]) -> PathBuf {
    written_at(17, folder, sizes, nodes, integers)
}

fn written_at(
    version: i64,
    folder: &Path,
    sizes: Option<&[i64]>,
    nodes: Vec<pb::NodeProto>,
    integers: &[(&str, &[i64])],
) -> PathBuf {
    use pb::tensor_shape_proto::{Dimension, dimension::Value};
    let float = |name: &str, sizes: Option<&[i64]>| {
        let dim = |size: &i64| Dimension { value: Some(Value::DimValue(*size)), ..Default::default() };
        let shape = sizes.map(|sizes| pb::TensorShapeProto { dim: sizes.iter().map(dim).collect() });
        let value = pb::type_proto::Value::TensorType(pb::type_proto::Tensor { elem_type: 1, shape });
        let kind = pb::TypeProto { value: Some(value), ..Default::default() };
        pb::ValueInfoProto { name: name.to_string(), r#type: Some(kind), ..Default::default() }
    };
    let tensor = |(name, numbers): &(&str, &[i64])| pb::TensorProto {
        name: name.to_string(),
        data_type: 7,
        dims: vec![numbers.len() as i64],
        int64_data: numbers.to_vec(),
        ..Default::default()
    };
    let graph = pb::GraphProto {
        name: "g".to_string(),
        node: nodes,
        input: vec![float("x", sizes)],
        output: vec![float("y", None)],
        initializer: integers.iter().map(tensor).collect(),
        ..Default::default()
    };
    let opset_import = vec![pb::OperatorSetIdProto { version, ..Default::default() }];
    let model = pb::ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() };
    let path = folder.join("written.onnx");
    std::fs::write(&path, model.encode_to_vec()).expect("the folder is ours");
    path
}

fn node(op: &str, inputs: &[&str], output: &str) -> pb::NodeProto {
    let input = inputs.iter().map(ToString::to_string).collect();
    pb::NodeProto { op_type: op.to_string(), input, output: vec![output.to_string()], ..Default::default() }
}

#[test]
fn zeros_without_a_type_are_floats_of_32_bits() {
    let Some(runtime) = OnnxRuntime::from_env().expect("ORT_DYLIB_PATH names a library that loads") else {
        eprintln!("SKIPPED: ONNX Runtime, for ORT_DYLIB_PATH is not set");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = vec![node("ConstantOfShape", &["size"], "zeros"), node("Add", &["x", "zeros"], "y")];
    let path = written(folder.path(), Some(&[2, 3]), nodes, &[("size", &[2, 1])]);
    let mut file = OnnxFile::read(&path).expect("the file is read");
    let cases = cases(&file, &path, &runtime);
    file.optimize(&Driver::default()).expect("the passes run");
    file.save(&path).expect("the file is written");
    let rows = verify_file(&path, &cases, &[&runtime], NETWORK).expect("a table");
    assert!(rows.iter().all(|row| row.ok), "{rows:?}\n{}", file.dump());
}

#[test]
fn what_cannot_be_read_or_drawn_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let backwards = vec![node("Relu", &["h"], "y"), node("Neg", &["x"], "h")];
    let error = OnnxFile::read(written(folder.path(), Some(&[2]), backwards, &[])).expect_err("no order");
    let text = error.to_string();
    assert!(text.contains("Relu that makes `y` reads `h` before") && text.contains("in the order"), "{text}");
    for (sizes, expected) in
        [(None, "`x` has no shape in the file"), (Some(&[1 << 40, 1 << 40][..]), "too many numbers")]
    {
        let path = written(folder.path(), sizes, vec![node("Relu", &["x"], "y")], &[]);
        let file = OnnxFile::read(path).expect("the file is read");
        let text = file.random_inputs(&[], 0).expect_err("no numbers").to_string();
        assert!(text.contains(expected), "{text}");
    }
}
