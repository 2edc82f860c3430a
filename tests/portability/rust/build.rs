//! Writes the table of the networks that burn-onnx made Rust of: every `.rs` in the folder that
//! `PORTABILITY_BURN_ONNX` names, none where it names none.

use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-env-changed=PORTABILITY_BURN_ONNX");
    let mut sources = match std::env::var_os("PORTABILITY_BURN_ONNX") {
        Some(folder) => sources(Path::new(&folder))?,
        None => Vec::new(),
    };
    sources.sort();
    let (mut modules, mut rows) = (String::new(), String::new());
    for (index, source) in sources.iter().enumerate() {
        println!("cargo::rerun-if-changed={}", source.display());
        let name = source.file_stem().unwrap_or_default();
        modules += &format!("#[allow(warnings, clippy::all)]\n#[path = {source:?}]\nmod network_{index};\n");
        let weights = source.with_extension("bpk");
        rows += &format!("    compiled!({name:?}, {weights:?}, network_{index}),\n");
    }
    let table =
        format!("{modules}\n/// Every network by the name of its file.\nconst NETWORKS: &[Compiled] = &[\n{rows}];\n");
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&folder).join("networks.rs"), table)
}

fn sources(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    Ok(entries
        .iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect())
}
