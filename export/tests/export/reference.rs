//! The cases of all tables before the reference evaluator of `onnx`, which is what the standard says as code. It needs a
//! Python with `tests/python/requirements.txt`: `SELFIE_TEST_PYTHON`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use selfie_export::lower::{LOWERINGS, operation};
use serde::Deserialize;

use crate::support::Table;
use crate::{images, indexing, integers, layers, numbers, operations, recurrent};

/// What the script says of a case.
#[derive(Deserialize)]
struct Verdict {
    name: String,
    opset: i64,
    operations: Vec<String>,
    /// Why the evaluator does not count here: it lacks an operator or has a known fault.
    skipped: Option<String>,
    /// In what it differs from Burn.
    wrong: Option<String>,
}

#[test]
fn the_reference_evaluator_of_onnx_gives_burns_numbers() {
    let Some(python) = std::env::var_os("SELFIE_TEST_PYTHON").filter(|path| !path.is_empty()) else {
        // Not by eprintln, whose text the test runner swallows.
        let text = b"SKIPPED: check_operators.py; SELFIE_TEST_PYTHON names no Python with onnx, ./check makes one\n";
        std::io::stderr().write_all(text).expect("standard error");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut table = Table::writing(folder.path().to_path_buf());
    let files = [
        operations::TABLES,
        layers::TABLES,
        numbers::TABLES,
        indexing::TABLES,
        integers::TABLES,
        images::TABLES,
        recurrent::TABLES,
    ];
    files.into_iter().flatten().for_each(|fill| fill(&mut table));
    table.finish();
    let verdicts = judged(python.as_ref(), folder.path());
    let mut wrong: Vec<String> = verdicts
        .iter()
        .filter_map(|it| Some(format!("{} at opset {}: {}", it.name, it.opset, it.wrong.as_ref()?)))
        .collect();
    wrong.extend(listed_otherwise(&verdicts));
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), verdicts.len(), wrong.join("\n"));
}

fn judged(python: &Path, folder: &Path) -> Vec<Verdict> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_operators.py");
    let output = Command::new(python).arg(script).arg(folder).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("the script prints a list of verdicts")
}

/// Operations of which `docs/operators.md` says otherwise than the evaluator.
fn listed_otherwise(verdicts: &[Verdict]) -> Vec<String> {
    let (mut agreed, mut reasons) = (BTreeSet::new(), BTreeMap::<&str, &str>::new());
    for verdict in verdicts {
        for name in verdict.operations.iter().filter_map(|name| Some(operation(name)?.name)) {
            match &verdict.skipped {
                Some(reason) => _ = reasons.insert(name, reason),
                None => _ = agreed.insert(name),
            }
        }
    }
    let listed = LOWERINGS.iter().flat_map(|lowering| lowering.operations);
    let listed = listed.filter(|it| !it.onnx.is_empty() && it.recorded && it.reference != agreed.contains(it.name));
    listed
        .map(|it| match it.reference {
            true => format!("{}: no case runs, {:?}; mark it as `beyond_reference`", it.name, reasons.get(it.name)),
            false => format!("{}: a case runs; it is no longer `beyond_reference`", it.name),
        })
        .collect()
}
