//! What the passes save, as a table of `docs/passes.md`.

use std::fmt::Write;

use crate::NETWORKS;
use crate::document;
use crate::network::encoded;

const HEADING: &str = "## What they save\n";

fn section() -> String {
    let mut text = format!(
        "{HEADING}\nEvery network of `export/tests/networks`, with its passes and with none: the same numbers on every \
         runtime, and nothing larger.\n\n\
         | network | nodes before | nodes after | kB before | kB after |\n|---|---:|---:|---:|---:|\n"
    );
    for network in NETWORKS {
        let network = network();
        let (plain, model) = (network.without_passes(), network.model(network.opset));
        let nodes = [&plain, &model].map(|model| model.graph().nodes.len());
        let kilobytes = [&plain, &model].map(|model| encoded(model).len().div_ceil(1000));
        let row = format!("| {} | {} | {} |", network.name, nodes[0], nodes[1]);
        writeln!(text, "{row} {} | {} |", kilobytes[0], kilobytes[1]).expect("text grows");
    }
    text
}

#[test]
fn the_document_says_what_the_passes_save() {
    document::keep(HEADING, &section());
}
