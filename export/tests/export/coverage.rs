//! Every operation that is listed as written is in a table of cases.

use selfie_export::lower::{LOWERINGS, operation};

use crate::support::Table;
use crate::{images, indexing, integers, layers, numbers, operations};

#[test]
fn every_written_operation_has_a_case() {
    let mut table = Table::listing();
    let files =
        [operations::TABLES, layers::TABLES, numbers::TABLES, indexing::TABLES, integers::TABLES, images::TABLES];
    files.into_iter().flatten().for_each(|fill| fill(&mut table));
    let covered: Vec<&str> = table.covered.iter().filter_map(|name| Some(operation(name)?.name)).collect();
    let written = LOWERINGS
        .iter()
        .flat_map(|lowering| lowering.operations)
        .filter(|entry| !entry.onnx.is_empty() && entry.recorded);
    let missing: Vec<&str> = written.map(|entry| entry.name).filter(|name| !covered.contains(name)).collect();
    table.finish();
    assert!(missing.is_empty(), "no case has {}", missing.join(", "));
}
