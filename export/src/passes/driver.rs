//! Runs the pipeline: applies patches, checks the graph after every pass, repeats until nothing fires.

use super::remove_dead_code::RemoveDeadCode;
use super::{Outcome, PIPELINE, Pass, PassReport, PassSummary, Target};
use crate::ir::Graph;
use crate::{Error, Result};

/// Rounds after which the driver gives up waiting for the graph to settle.
const MAX_ROUNDS: usize = 16;

/// Settings of the pass driver.
#[derive(Clone, Debug, Default)]
pub struct Driver {
    /// Stop after the first run of this pass.
    pub stop_after: Option<String>,
    /// Run these passes alone, in the order of the pipeline.
    pub only: Option<Vec<String>>,
    /// Run no pass at all.
    pub skip: bool,
    /// Keep the text of the graph after every change.
    pub dump: bool,
    /// The runtime whose rewrites run after the pipeline, whatever is asked of that.
    pub target: Option<Target>,
}

impl Driver {
    /// Runs the pipeline on the graph.
    ///
    /// # Errors
    /// An unknown pass name, a pass that fails, a graph that is broken after a pass, which the error names, or an opset
    /// that the target does not read.
    pub fn run(&self, graph: &mut Graph) -> Result<PassReport> {
        let mut report = PassReport {
            passes: PIPELINE.iter().map(|pass| self.summary(pass.name())).collect(),
            nodes: (graph.nodes.len(), graph.nodes.len()),
            constant_bytes: (graph.constant_bytes(), graph.constant_bytes()),
            ..PassReport::default()
        };
        self.check_names()?;
        self.target.as_ref().map_or(Ok(()), |target| target.check(graph.opset))?;
        self.dump(&mut report, "lowering", graph);
        if !self.skip {
            self.rounds(graph, &mut report)?;
        }
        if let Some(target) = &self.target {
            self.rewrite(target, graph, &mut report)?;
        }
        report.nodes.1 = graph.nodes.len();
        report.constant_bytes.1 = graph.constant_bytes();
        Ok(report)
    }

    fn rounds(&self, graph: &mut Graph, report: &mut PassReport) -> Result<()> {
        while report.rounds < MAX_ROUNDS && !report.settled {
            report.rounds += 1;
            report.settled = true;
            for (index, pass) in PIPELINE.iter().enumerate().filter(|(_, pass)| self.runs(pass.name())) {
                if step(*pass, graph, &mut report.passes[index])? {
                    report.settled = false;
                    self.dump(report, pass.name(), graph);
                }
                if self.stop_after.as_deref() == Some(pass.name()) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The rewrites of a target leave parts behind that nobody reads any more.
    fn rewrite(&self, target: &Target, graph: &mut Graph, report: &mut PassReport) -> Result<()> {
        for pass in target.rewrites {
            let mut summary = PassSummary::new(pass.name());
            if step(*pass, graph, &mut summary)? {
                step(&RemoveDeadCode, graph, &mut PassSummary::new(RemoveDeadCode.name()))?;
                self.dump(report, pass.name(), graph);
            }
            report.passes.push(summary);
        }
        Ok(())
    }

    fn dump(&self, report: &mut PassReport, stage: &str, graph: &Graph) {
        if self.dump {
            report.dumps.push((stage.to_string(), graph.dump()));
        }
    }

    fn runs(&self, pass: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == pass))
    }

    fn summary(&self, pass: &'static str) -> PassSummary {
        let runs = !self.skip && self.runs(pass);
        let reason = (!runs).then(|| "it was not asked for".to_string());
        PassSummary { reason, ..PassSummary::new(pass) }
    }

    fn check_names(&self) -> Result<()> {
        let known = || PIPELINE.iter().map(|pass| pass.name());
        let asked = self.stop_after.iter().chain(self.only.iter().flatten());
        let unknown = asked.into_iter().find(|name| !known().any(|known| known == *name));
        unknown.map_or(Ok(()), |name| Err(Error::UnknownPass(name.clone(), known().collect::<Vec<_>>().join(", "))))
    }
}

/// Runs a pass once; says whether it changed the graph.
fn step(pass: &dyn Pass, graph: &mut Graph, summary: &mut PassSummary) -> Result<bool> {
    let mut patch = match pass.run(graph)? {
        Outcome::Unchanged(reason) => {
            summary.reason = Some(reason);
            return Ok(false);
        }
        Outcome::Changed(patch) => patch,
    };
    summary.reason = None;
    summary.fired.append(&mut patch.fired);
    let before = graph.cost();
    patch.apply(graph);
    graph.check(pass.name())?;
    summary.saved.add(before, graph.cost());
    Ok(true)
}
