//! What the passes save, as a table of `docs/passes.md`.

use std::fmt::Write;

use crate::NETWORKS;
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/passes.md");
    let text = std::fs::read_to_string(path).expect("docs/passes.md");
    let (rest, found) = text.split_once(HEADING).unwrap_or((&text, ""));
    let section = section();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{}\n\n{section}", rest.trim_end())).expect("docs/passes.md");
        return;
    }
    assert_eq!(format!("{HEADING}{found}"), section, "run the tests with UPDATE_DOCS=1 to write docs/passes.md anew");
}
