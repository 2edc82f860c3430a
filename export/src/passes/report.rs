//! What the passes did.

use std::fmt;

use crate::ir::Cost;

/// The work of one pass over all rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassSummary {
    /// Name of the pass.
    pub pass: &'static str,
    /// Where it fired.
    pub fired: Vec<String>,
    /// Why it did not fire in its last round.
    pub reason: Option<String>,
    /// What it saved; negative where it adds.
    pub saved: Saved,
}

impl PassSummary {
    /// A pass that did nothing yet.
    pub(super) fn new(pass: &'static str) -> Self {
        Self { pass, fired: vec![], reason: None, saved: Saved::default() }
    }
}

/// What a pass took out of the graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Nodes.
    pub nodes: i64,
    /// Floating point operations, as [`Cost`] counts them.
    pub flops: i64,
    /// Bytes of constants.
    pub bytes: i64,
}

impl Saved {
    /// Adds the difference between the costs before and after a pass.
    pub(super) fn add(&mut self, before: Cost, after: Cost) {
        let less = |before: u64, after: u64| before as i64 - after as i64;
        self.nodes += less(before.nodes, after.nodes);
        self.flops += less(before.flops, after.flops);
        self.bytes += less(before.bytes, after.bytes);
    }
}

/// The work of the pipeline.
#[derive(Clone, Debug, Default)]
pub struct PassReport {
    /// One summary a pass, in the order of the pipeline, then those of the target.
    pub passes: Vec<PassSummary>,
    /// How often the pipeline ran.
    pub rounds: usize,
    /// Whether the pipeline stopped because nothing fired any more.
    pub settled: bool,
    /// Nodes before and after.
    pub nodes: (usize, usize),
    /// Bytes of constants before and after.
    pub constant_bytes: (usize, usize),
    /// Text of the graph after the stage of that name, where dumps were asked for.
    pub dumps: Vec<(String, String)>,
}

impl fmt::Display for PassReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} -> {} nodes in {} rounds", self.nodes.0, self.nodes.1, self.rounds)?;
        writeln!(f, "{:<20} {:>5} {:>6} {:>12} {:>10}  why not", "pass", "fired", "-nodes", "-FLOPs", "-bytes")?;
        for PassSummary { pass, fired, reason, saved } in &self.passes {
            let (fired, reason) = (fired.len(), reason.as_deref().unwrap_or(""));
            let Saved { nodes, flops, bytes } = saved;
            writeln!(f, "{pass:<20} {fired:>5} {nodes:>6} {flops:>12} {bytes:>10}  {reason}")?;
        }
        Ok(())
    }
}
