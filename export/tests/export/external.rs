//! Weights in a second file: read by the runtimes, replaced as one, and written without a copy of them in memory.

use std::path::Path;
use std::process::Command;

use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use prost::Message;
use selfie_export::verify::{Case, Runner, verify_file};
use selfie_export::{Export, Model, OnnxFile, inspect_file, run_eager};
use tract_onnx::pb;

use crate::support::{EXACT, runners};

/// The offsets at which a runtime can map a file.
const PAGE: u64 = 4096;
/// Peak memory of an export, in sizes of its weights: the module's, those that the capture device took, and one weight more
/// while it is on its way there.
const MOST_MEMORY: f64 = 2.5;
/// Names the file that the test of memory lets a second process write.
const CHILD: &str = "SELFIE_EXPORT_MEMORY";

fn forward(module: &Linear, x: Tensor<2>) -> Tensor<2> {
    module.forward(x)
}

fn compile(module: &Linear) -> Model {
    let [inputs, _] = module.weight.dims();
    Export::new(module)
        .input("x", Tensor::<2>::zeros([2, inputs], &Device::flex()), [(0, "batch")])
        .outputs(["y"])
        .compile(forward)
        .expect("the layer compiles")
}

fn entry<'t>(tensor: &'t pb::TensorProto, key: &str) -> &'t str {
    tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str()).expect(key)
}

#[test]
fn external_weights_lie_at_pages_and_every_runtime_reads_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.onnx");
    let module = LinearConfig::new(70, 90).init(&Device::flex());
    let model = compile(&module);
    for _ in 0..2 {
        model.save_external(&path).expect("both files are written");
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).expect("the folder").map(|f| f.expect("a file").file_name()).collect();
        names.sort();
        assert_eq!(names, ["model.onnx", "model.onnx.data"]);
    }
    let bytes = std::fs::read(&path).expect("the file");
    assert!(bytes.len() < 2000, "{} bytes", bytes.len());
    let proto = pb::ModelProto::decode(bytes.as_slice()).expect("a model");
    let tensors = proto.graph.expect("a graph").initializer;
    let weight = tensors.iter().find(|tensor| tensor.name == "weight").expect("the weight");
    assert!(weight.raw_data.is_empty() && entry(weight, "location") == "model.onnx.data");
    assert_eq!(entry(weight, "offset").parse::<u64>().expect("a number") % PAGE, 0);
    assert_eq!(entry(weight, "length"), (70 * 90 * 4).to_string());
    let bias = tensors.iter().find(|tensor| tensor.name == "bias").expect("the bias");
    assert_eq!(bias.raw_data.len(), 90 * 4, "what is small stays in the model");

    let inputs = model.random_inputs(&[("batch", 3)], 1).expect("random inputs");
    let expected = run_eager(&module, &Device::flex(), forward, inputs.clone()).expect("Burn runs");
    let cases = [Case::new(inputs, expected)];
    let again = folder.path().join("again.onnx");
    OnnxFile::read(&path).expect("the pair is read").save(&again).expect("one file is written");
    let digest = |path: &Path| inspect_file(path).expect("a model").metadata.contains_key("selfie.data.sha256");
    assert!(digest(&path) && !digest(&again), "the digest of the weights goes with them");
    for runner in runners() {
        let runners: [&dyn Runner; 1] = [runner.as_ref()];
        for path in [&path, &again] {
            let rows = verify_file(path, &cases, &runners, EXACT).expect("it loads");
            assert!(rows.iter().all(|row| row.ok), "{rows:?}");
        }
    }
}

#[test]
fn a_pair_that_cannot_be_written_leaves_neither_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).expect("the folder is ours");
    let model = compile(&LinearConfig::new(70, 90).init(&Device::flex()));
    let error = model.save_external(&taken).expect_err("a folder lies there");
    assert!(error.to_string().contains("taken"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
}

#[test]
fn weights_come_back_where_the_model_cannot_be_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.onnx");
    let weights = folder.path().join("model.onnx.data");
    compile(&LinearConfig::new(70, 90).init(&Device::flex())).save_external(&path).expect("both files are written");
    let old = std::fs::read(&weights).expect("the weights");
    std::fs::remove_file(&path).expect("the folder is ours");
    std::fs::create_dir(&path).expect("the folder is ours");
    let other = compile(&LinearConfig::new(70, 90).init(&Device::flex()));
    let error = other.save_external(&path).expect_err("a folder lies there");
    assert!(error.to_string().contains("model.onnx"), "{error}");
    assert!(std::fs::read(&weights).expect("the weights") == old, "the weights are those of another model");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 2);
}

#[test]
fn weights_in_another_file_are_counted_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.onnx");
    compile(&LinearConfig::new(70, 90).init(&Device::flex())).save_external(&path).expect("both files are written");
    let found = inspect_file(&path).expect("a model");
    assert_eq!((found.initializer_bytes, found.external_bytes), (90 * 4, 70 * 90 * 4));
    assert_eq!((found.parameters, found.flops), (70 * 90 + 90, Some(2 * 70 * 90)), "{}", found.flops_note);
}

#[test]
fn an_export_takes_one_copy_of_the_weights() {
    if let Some(path) = std::env::var_os(CHILD) {
        return export_and_tell(Path::new(&path));
    }
    if !Path::new("/proc/self/status").exists() {
        eprintln!("SKIPPED: this system does not tell how much memory a process took");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["model.onnx", "external.onnx"] {
        let path = folder.path().join(name);
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["external::an_export_takes_one_copy_of_the_weights", "--exact", "--nocapture"])
            .env(CHILD, &path)
            .output()
            .expect("this program starts again");
        let text = String::from_utf8_lossy(&output.stdout);
        let peak = text.lines().find_map(|line| line.split_once("peak bytes: ")?.1.trim().parse::<u64>().ok());
        let peak = peak.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        let weights = (layers() * SIDE * SIDE * 4) as f64;
        let written: u64 = std::fs::read_dir(folder.path())
            .expect("the folder")
            .map(|f| f.expect("a file").metadata().expect("its size").len())
            .sum();
        assert!(written as f64 >= weights, "{written} bytes");
        let part = peak as f64 / weights;
        eprintln!("{name}: {part:.2} times the weights");
        assert!(part <= MOST_MEMORY, "{name} takes {part:.2} times its weights");
    }
}

const SIDE: usize = 3_500;

/// 45 of them are more than one file can hold.
fn layers() -> usize {
    std::env::var("EXPORT_TEST_LAYERS").map_or(4, |layers| layers.parse().expect("a number of layers"))
}

fn export_and_tell(path: &Path) {
    let device = Device::flex();
    // Each layer has numbers of its own: equal weights would be written once.
    let layer = |index: usize| {
        let value = 1e-4 * (index + 1) as f64;
        LinearConfig::new(SIDE, SIDE).with_initializer(Initializer::Constant { value }).init(&device)
    };
    let module: Vec<Linear> = (0..layers()).map(layer).collect();
    let model = Export::new(&module)
        .input("x", Tensor::<2>::zeros([2, SIDE], &device), [(0, "batch")])
        .outputs(["y"])
        .compile(|layers: &Vec<Linear>, x: Tensor<2>| layers.iter().fold(x, |x, layer| layer.forward(x)))
        .expect("the layers compile");
    match path.ends_with("external.onnx") {
        true => model.save_external(path).expect("both files are written"),
        false => model.save(path).expect("the file is written"),
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("the status of this process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("peak bytes: {}", kilobytes * 1024);
}
