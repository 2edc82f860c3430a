//! Equal constants become one. Parameters of less than a kilobyte keep their own names instead.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Constant, Graph, Value, ValueId};

/// Below this a parameter's name is worth more than its bytes.
const NAMED_BYTES: usize = 1024;

pub(super) struct ShareConstants;

impl Pass for ShareConstants {
    fn name(&self) -> &'static str {
        "share_constants"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut used: Vec<ValueId> =
            graph.nodes.iter().flat_map(|node| node.inputs.iter().flatten().copied()).collect();
        used.sort();
        used.dedup();
        let mut seen: BTreeMap<u64, Vec<ValueId>> = BTreeMap::new();
        let mut patch = Patch::of(graph);
        for id in used {
            let value = graph.value(id);
            let Some(constant) = value.constant.as_ref().filter(|constant| may_share(value, constant)) else {
                continue;
            };
            let twins = seen.entry(hash(constant)).or_default();
            match twins.iter().find(|twin| graph.constant(**twin) == Some(constant)) {
                Some(twin) => {
                    patch.redirect(id, *twin);
                    patch.fired(value.name.clone().unwrap_or_else(|| constant.to_string()));
                }
                None => twins.push(id),
            }
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("no two constants are equal".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

fn may_share(value: &Value, constant: &Constant) -> bool {
    value.name.is_none() || constant.bytes().len() >= NAMED_BYTES
}

fn hash(constant: &Constant) -> u64 {
    let mut hasher = DefaultHasher::new();
    (constant.dtype(), constant.dims(), constant.bytes()).hash(&mut hasher);
    hasher.finish()
}
