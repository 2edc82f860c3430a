//! Files with an opset from 7 to 12: their operators as opset 13 writes them, so that the passes know one form of each.
//!
//! # Source
//! ONNX's `Changelog.md`. What the two tables do not name means at opset 13 what it meant before.

mod batch_norm;
mod clip;
mod dropout;
mod file;
mod node;
mod pad;
mod resize;
mod second_input;
mod slice;
mod softmax;

use std::path::Path;

use prost::Message;
use tract_onnx::pb;

use self::file::File;
use self::node::Old;
use super::standard;
use super::types::infer;
use crate::{Error, Result};

/// The first opset that is read: before it, attributes say how operands broadcast.
pub(super) const OLDEST: i64 = 7;
/// The opset up to which files are brought.
const NEW: i64 = 13;
/// The first version of the format in which an initialiser that is an input too may be replaced by the caller; before it,
/// every initialiser had to be an input.
const REPLACEABLE: i64 = 4;

/// Operators that opset 13 has otherwise.
struct Change {
    operators: &'static [&'static str],
    /// The last opset of the older form.
    last: i64,
    /// Makes the newer form, or says why there is none.
    rewrite: fn(&mut Old<'_, '_>) -> Result<(), String>,
}

/// Operators that are written in another way.
const FORMS: &[Change] = &[
    Change { operators: &["BatchNormalization"], last: 8, rewrite: batch_norm::rewrite },
    Change { operators: &["Clip"], last: 10, rewrite: clip::rewrite },
    Change { operators: &["Dropout"], last: 11, rewrite: dropout::rewrite },
    Change { operators: &["Pad"], last: 10, rewrite: pad::rewrite },
    Change {
        operators: &["ReduceSum", "Squeeze", "Unsqueeze"],
        last: 12,
        rewrite: |old| second_input::rewrite(old, "axes"),
    },
    Change { operators: &["Resize"], last: 10, rewrite: resize::resize },
    Change { operators: &["Resize"], last: 12, rewrite: resize::places },
    Change { operators: &["Scan"], last: 8, rewrite: |_| Err("it scans whole batches".to_string()) },
    Change { operators: &["Scatter"], last: 12, rewrite: |old| old.rename("ScatterElements") },
    Change { operators: &["Slice"], last: 9, rewrite: slice::rewrite },
    Change { operators: &["Split"], last: 12, rewrite: |old| second_input::rewrite(old, "split") },
    Change { operators: &["TopK"], last: 9, rewrite: |old| second_input::rewrite(old, "k") },
    Change { operators: &["Upsample"], last: 12, rewrite: resize::upsample },
];

/// Operators that are written in the same way and mean something else, by the shape of their input.
const MEANINGS: &[Change] =
    &[Change { operators: &["Hardmax", "LogSoftmax", "Softmax"], last: 12, rewrite: softmax::rewrite }];

/// The file with the operators of opset 13 and without weights among its inputs; `None` where it has both already.
///
/// # Errors
/// [`Error::OldOperator`] names a node that opset 13 has no counterpart of.
pub(super) fn upgraded(bytes: &[u8], model: &pb::ModelProto, folder: &Path) -> Result<Option<Vec<u8>>> {
    let opset = standard::opset(model).unwrap_or(NEW);
    if opset >= NEW && model.ir_version >= REPLACEABLE {
        return Ok(None);
    }
    let formed = File::of(model, opset, FORMS, folder).rewritten(bytes)?;
    let model = pb::ModelProto::decode(formed.as_slice()).map_err(|error| Error::Decode(error.to_string()))?;
    let known: Vec<bool> = standard::understood(&model, folder)?.iter().map(Option::is_some).collect();
    let mut file = File::of(&model, opset, MEANINGS, folder);
    file.shapes = infer(&model, &known, folder)?.values.into_iter().map(|(name, (_, shape))| (name, shape)).collect();
    file.rewritten(&formed).map(Some)
}
