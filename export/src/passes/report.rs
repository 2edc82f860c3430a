//! What the passes did.

use std::fmt;

/// The work of one pass over all rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassSummary {
    /// Name of the pass.
    pub pass: &'static str,
    /// Where it fired.
    pub fired: Vec<String>,
    /// Why it did not fire in its last round.
    pub reason: Option<String>,
}

/// The work of the pipeline.
#[derive(Clone, Debug, Default)]
pub struct PassReport {
    /// One summary a pass, in the order of the pipeline.
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
        for summary in &self.passes {
            let reason = summary.reason.as_deref().unwrap_or("");
            writeln!(f, "{:<20} fired {:>4} times; {reason}", summary.pass, summary.fired.len())?;
        }
        Ok(())
    }
}
