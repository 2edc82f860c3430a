//! All networks before code that is not ours: the checker, the shape inference and the reference evaluator of `onnx`.
//! They need a Python with `tests/python/requirements.txt`: `SELFIE_TEST_PYTHON`.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use selfie_export::verify::Kind;
use selfie_export::{Model, TARGETS};

use crate::network::Network;
use crate::{NETWORKS, data_set};

#[test]
fn the_checker_of_onnx_passes_every_network() {
    let Some(python) = std::env::var_os("SELFIE_TEST_PYTHON").filter(|path| !path.is_empty()) else {
        // Not by eprintln, whose text the test runner swallows.
        let text = b"SKIPPED: check_networks.py; SELFIE_TEST_PYTHON names no Python with onnx, ./check makes one\n";
        std::io::stderr().write_all(text).expect("standard error");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for network in NETWORKS {
        let network = network();
        for opset in network.opsets() {
            let place = folder.path().join(format!("{}, opset {opset}", network.name));
            write(&network, &network.model(opset), &place);
        }
    }
    let network = crate::targets::one_of_each();
    for target in TARGETS {
        write(&network, &network.for_target(target), &folder.path().join(format!("for {}", target.name)));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_networks.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().expect("Python starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    eprintln!("{}", text(&output.stdout));
}

/// Writes a model and one case, as ONNX's own tests have them.
fn write(network: &Network, model: &Model, folder: &Path) {
    let usual = network.cases(model).into_iter().filter(|case| case.kind == Kind::Usual);
    data_set::write(folder, model, &[usual.last().expect("a case")]);
}
