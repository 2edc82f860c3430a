//! Which passes run, and the text of the graph after each.

use anyhow::Context;
use burn::module::Module;
use selfie_export::Export;
use selfie_export::passes::{Driver, PassReport};
use std::path::{Path, PathBuf};

/// What is asked of the passes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Passes {
    /// Folder for the text of the graph before the first pass and after every pass that changed it.
    #[arg(long, value_name = "FOLDER")]
    dump: Option<PathBuf>,
    /// Stop after the first run of this pass.
    #[arg(long, value_name = "PASS")]
    stop_after: Option<String>,
    /// Run these passes alone, in the order of the pipeline.
    #[arg(long, value_name = "PASS", value_delimiter = ',')]
    only: Vec<String>,
    /// Print what each pass did and saved, or why it did nothing.
    #[arg(long)]
    pub report: bool,
}

impl Passes {
    /// Whether anything is asked for that the file of an earlier compilation cannot tell.
    pub fn any(&self) -> bool {
        self.dump.is_some() || self.stop_after.is_some() || !self.only.is_empty() || self.report
    }

    /// Hands the wishes to the compiler.
    pub fn configure<'m, M: Module>(&self, mut export: Export<'m, M>) -> Export<'m, M> {
        if self.dump.is_some() {
            export = export.dumps();
        }
        if let Some(pass) = &self.stop_after {
            export = export.stop_after(pass);
        }
        if !self.only.is_empty() {
            export = export.only(&self.only);
        }
        export
    }

    /// The same wishes for a file that is there already.
    pub fn driver(&self) -> Driver {
        let only = (!self.only.is_empty()).then(|| self.only.clone());
        Driver { stop_after: self.stop_after.clone(), only, dump: self.dump.is_some(), ..Driver::default() }
    }

    /// Writes the texts, numbered in the order in which they came about.
    pub fn write_dumps(&self, report: &PassReport) -> anyhow::Result<()> {
        let Some(folder) = &self.dump else { return Ok(()) };
        let failed = |path: &Path| format!("cannot write {}", path.display());
        std::fs::create_dir_all(folder).with_context(|| failed(folder))?;
        for (index, (stage, text)) in report.dumps.iter().enumerate() {
            let path = folder.join(format!("{index:03}-{stage}.txt"));
            std::fs::write(&path, text).with_context(|| failed(&path))?;
        }
        Ok(())
    }
}
