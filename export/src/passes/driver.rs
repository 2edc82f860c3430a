//! Runs the pipeline: applies patches, checks the graph after every pass, repeats until nothing fires.

use super::{Outcome, PIPELINE, PassReport, PassSummary, Saved};
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
}

impl Driver {
    /// Runs the pipeline on the graph.
    ///
    /// # Errors
    /// An unknown pass name, a pass that fails, or a graph that is broken after a pass, which the error names.
    pub fn run(&self, graph: &mut Graph) -> Result<PassReport> {
        let mut report = PassReport {
            passes: PIPELINE.iter().map(|pass| self.summary(pass.name())).collect(),
            nodes: (graph.nodes.len(), graph.nodes.len()),
            constant_bytes: (graph.constant_bytes(), graph.constant_bytes()),
            ..PassReport::default()
        };
        self.check_names()?;
        self.dump(&mut report, "lowering", graph);
        if !self.skip {
            self.rounds(graph, &mut report)?;
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
                let summary = &mut report.passes[index];
                match pass.run(graph)? {
                    Outcome::Unchanged(reason) => summary.reason = Some(reason),
                    Outcome::Changed(mut patch) => {
                        report.settled = false;
                        summary.reason = None;
                        summary.fired.append(&mut patch.fired);
                        let before = graph.cost();
                        patch.apply(graph);
                        graph.check(pass.name())?;
                        summary.saved.add(before, graph.cost());
                        self.dump(report, pass.name(), graph);
                    }
                }
                if self.stop_after.as_deref() == Some(pass.name()) {
                    return Ok(());
                }
            }
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
        PassSummary { pass, fired: vec![], reason, saved: Saved::default() }
    }

    fn check_names(&self) -> Result<()> {
        let known = || PIPELINE.iter().map(|pass| pass.name());
        let asked = self.stop_after.iter().chain(self.only.iter().flatten());
        let unknown = asked.into_iter().find(|name| !known().any(|known| known == *name));
        unknown.map_or(Ok(()), |name| Err(Error::UnknownPass(name.clone(), known().collect::<Vec<_>>().join(", "))))
    }
}
