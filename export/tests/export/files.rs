//! The bytes, names, metadata and inspection of the written file.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use prost::Message;
use selfie_export::{Error, Export, Model, inspect, inspect_file};
use tract_onnx::pb;

fn linear(device: &Device) -> Linear {
    LinearConfig::new(64, 32).init(device)
}

fn compile(module: &Linear) -> Model {
    Export::new(module)
        .input("x", Tensor::<2>::zeros([2, 64], &Device::flex()), [(0, "batch")])
        .outputs(["y"])
        .metadata("card", "{}")
        .doc("A linear layer.")
        .compile(|m: &Linear, x: Tensor<2>| m.forward(x))
        .expect("the layer compiles")
}

#[test]
fn the_same_module_gives_the_same_bytes() {
    let module = linear(&Device::flex());
    let (first, second) = (compile(&module), compile(&module));
    assert_eq!(first.to_bytes().expect("bytes"), second.to_bytes().expect("bytes"));
}

#[test]
fn a_saved_file_holds_the_bytes_and_nothing_lies_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.onnx");
    let mut model = compile(&linear(&Device::flex()));
    model.save(&path).expect("the file is written");
    model.set_metadata("card", "{\"golden\": []}");
    model.save(&path).expect("the file is replaced");
    assert_eq!(std::fs::read(&path).expect("the file"), model.to_bytes().expect("bytes"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
    let inspection = inspect_file(&path).expect("the file is read");
    assert_eq!(inspection.metadata.get("card").map(String::as_str), Some("{\"golden\": []}"));
}

/// Names the file that the test of modes lets a second process write.
#[cfg(unix)]
const CHILD: &str = "SELFIE_EXPORT_MODE";

#[cfg(unix)]
#[test]
fn a_file_is_as_open_as_the_user_s_other_files() {
    use std::os::unix::fs::PermissionsExt;
    if let Some(path) = std::env::var_os(CHILD) {
        return compile(&linear(&Device::flex())).save(path).expect("the file is written");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.onnx");
    for (umask, expected) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let output = std::process::Command::new("sh")
            .args(["-c", "umask $0 && exec \"$@\"", umask])
            .arg(std::env::current_exe().expect("this program"))
            .args(["files::a_file_is_as_open_as_the_user_s_other_files", "--exact"])
            .env(CHILD, &path)
            .output()
            .expect("this program starts again");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777;
        assert_eq!(mode, expected, "umask {umask}: {mode:o}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let error = compile(&linear(&Device::flex())).save("/nowhere/at/all/model.onnx").expect_err("no folder");
    assert!(error.to_string().contains("/nowhere/at/all/model.onnx"), "{error}");
}

#[test]
fn an_inspection_shows_ports_operators_parameters_and_flops() {
    let inspection = inspect(&compile(&linear(&Device::flex())).to_bytes().expect("bytes")).expect("a model");
    assert_eq!(inspection.opset, 17);
    assert_eq!(inspection.doc, "A linear layer.");
    assert_eq!(
        (inspection.inputs[0].name.as_str(), inspection.inputs[0].shape.as_slice()),
        ("x", &["batch".to_string(), "64".to_string()][..])
    );
    assert_eq!(inspection.outputs[0].dtype, "float32");
    assert_eq!(inspection.parameters, 64 * 32 + 32);
    let operators: Vec<_> = inspection.operators.iter().map(|count| (count.operator.as_str(), count.count)).collect();
    assert_eq!(operators, [("Gemm", 1)]);
    assert_eq!(inspection.flops, Some(2 * 64 * 32), "{}", inspection.flops_note);
}

#[test]
fn flops_of_a_convolution_are_counted_at_batch_one() {
    let device = Device::flex();
    let module: Conv2d = Conv2dConfig::new([4, 8], [3, 3]).with_groups(2).init(&device);
    let model = Export::new(&module)
        .input("x", Tensor::<4>::zeros([2, 4, 10, 10], &device), [(0, "batch")])
        .outputs(["y"])
        .compile(|m: &Conv2d, x: Tensor<4>| m.forward(x))
        .expect("the layer compiles");
    let inspection = inspect(&model.to_bytes().expect("bytes")).expect("a model");
    assert_eq!(inspection.flops, Some(2 * (8 * 8 * 8) * (2 * 9)), "{}", inspection.flops_note);
}

#[test]
fn attributes_have_a_value_and_none_is_the_default_by_python_s_checker() {
    let Some(python) = std::env::var_os("SELFIE_TEST_PYTHON") else {
        eprintln!("SKIPPED: SELFIE_TEST_PYTHON names no Python with onnx; ./check makes one");
        return;
    };
    let device = Device::flex();
    let module: Conv2d = Conv2dConfig::new([4, 8], [3, 3]).init(&device);
    let forward = |m: &Conv2d, x: Tensor<4>| {
        let y = m.forward(x.clone()).mean_dim(3).repeat_dim(3, 2);
        let joined = Tensor::cat(vec![x.clone(), x.clone().exp()], 0);
        let index = Tensor::<1, burn::tensor::Int>::from_ints([1, 0], &m.weight.val().device());
        (y, joined, x.select(1, index), burn::tensor::activation::softmax(m.weight.val(), 0))
    };
    let folder = tempfile::tempdir().expect("a folder");
    for opset in [13, 17, 18, 21, 24] {
        let path = folder.path().join(format!("{opset}.onnx"));
        Export::new(&module)
            .opset(opset)
            .input("x", Tensor::<4>::zeros([2, 4, 10, 10], &device), [(0, "batch")])
            .outputs(["y", "joined", "picked", "weight"])
            .compile(forward)
            .and_then(|model| model.save(&path))
            .expect("the file is written");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_attributes.py");
        let output = std::process::Command::new(&python).arg(script).arg(&path).output().expect("Python runs");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "opset {opset}: {stderr}");
        assert!(stdout.contains(r#"["Concat", "axis"]"#), "an axis of 0 without default is written: {stdout}");
    }
}

#[test]
fn onnx_s_own_domain_has_two_names() {
    let plain = compile(&linear(&Device::flex())).to_bytes().expect("bytes");
    let mut proto = pb::ModelProto::decode(plain.as_slice()).expect("a model");
    proto.opset_import.iter_mut().for_each(|set| set.domain = "ai.onnx".to_string());
    proto.graph.iter_mut().flat_map(|graph| &mut graph.node).for_each(|node| node.domain = "ai.onnx".to_string());
    let (named, plain) = (inspect(&proto.encode_to_vec()).expect("a model"), inspect(&plain).expect("a model"));
    assert_eq!((named.opset, &named.operators), (plain.opset, &plain.operators));
    assert_eq!(named.flops, plain.flops, "{}", named.flops_note);
}

#[test]
fn sizes_beyond_every_number_are_not_wrapped() {
    let bytes = compile(&linear(&Device::flex())).to_bytes().expect("bytes");
    let mut proto = pb::ModelProto::decode(bytes.as_slice()).expect("a model");
    let graph = proto.graph.as_mut().expect("a graph");
    let weight = graph.initializer.iter_mut().find(|tensor| tensor.dims.len() == 2).expect("the weight");
    weight.dims = vec![i64::MAX, i64::MAX];
    let found = inspect(&proto.encode_to_vec()).expect("a model");
    assert_eq!((found.parameters, found.initializer_bytes), (u64::MAX, u64::MAX));
    assert_eq!(found.flops, None, "{}", found.flops_note);
}

#[test]
fn what_is_no_model_is_refused() {
    let error = inspect(b"this is no model").expect_err("no model");
    assert!(error.to_string().contains("not a valid ONNX model"), "{error}");
    let missing = inspect_file("/nowhere/model.onnx").expect_err("no file");
    assert!(missing.to_string().contains("/nowhere/model.onnx"), "{missing}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_replaced_by_one() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&place).expect("the folder is ours");
    let error = compile(&linear(&Device::flex())).save(&place).expect_err("a socket");
    assert!(matches!(&error, Error::Io { source, .. } if source.to_string().contains("no ordinary file")), "{error}");
    let kind = std::fs::symlink_metadata(&place).expect("it is still there").file_type();
    assert!(kind.is_socket() && std::fs::read_dir(folder.path()).expect("the folder").count() == 1);
}
