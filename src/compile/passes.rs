//! Which passes run, and the text of the graph after each.

use anyhow::Context;
use burn::module::Module;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use selfie_export::passes::{Driver, PassReport};
use selfie_export::{Export, Model, TARGETS, Target};
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
    /// Write for this runtime, with an opset and operators that it reads; runtimes that are not listed need none of this.
    #[arg(long, value_name = "RUNTIME", value_parser = targets())]
    target: Option<Target>,
}

/// The names of the targets, each with its reason.
fn targets() -> impl TypedValueParser<Value = Target> {
    let names = TARGETS.iter().map(|target| PossibleValue::new(target.name).help(target.why));
    PossibleValuesParser::new(names).try_map(|name| Target::named(&name).cloned())
}

impl Passes {
    /// Rewrites a model that was compiled before for the runtime that is asked for.
    pub fn rewrite(&self, model: &mut Model) -> selfie_export::Result<()> {
        self.target.as_ref().map_or(Ok(()), |target| model.rewrite_for(target))
    }

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
        if let Some(target) = &self.target {
            export = export.target(target);
        }
        export
    }

    /// The same wishes for a file that is there already.
    pub fn driver(&self) -> Driver {
        let only = (!self.only.is_empty()).then(|| self.only.clone());
        let (stop_after, target) = (self.stop_after.clone(), self.target.clone());
        Driver { stop_after, only, dump: self.dump.is_some(), target, ..Driver::default() }
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
