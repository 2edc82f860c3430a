//! Weights in a file of their own beside the model.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{StringStringEntryProto, TensorProto};

use super::Header;
use super::digest::seal;
use super::skeleton::Skeleton;
use super::write::{persist, stage, write_beside};
use crate::ir::Graph;
use crate::{Error, Result};

/// The key of the weights' digest in the metadata.
pub(crate) const DATA_DIGEST: &str = "selfie.data.sha256";
/// Constants below this stay in the model: operands that runtimes read while they load, and biases.
const LEAST_BYTES: usize = 4096;
/// Every tensor begins at a page, so that a runtime can map it.
const ALIGNMENT: u64 = 4096;

/// Which tensors lie in the other file, and where in it.
pub(super) struct External {
    location: String,
    places: BTreeMap<String, (u64, u64)>,
}

impl External {
    /// Says in the message of a tensor where its numbers are, if they are in the other file.
    pub fn place(&self, tensor: &mut TensorProto, name: &str) -> bool {
        let Some((offset, length)) = self.places.get(name) else { return false };
        let entries =
            [("location", self.location.clone()), ("offset", offset.to_string()), ("length", length.to_string())];
        let entry = |(key, value): (&str, String)| StringStringEntryProto { key: key.to_string(), value };
        tensor.external_data = entries.into_iter().map(entry).collect();
        tensor.data_location = Some(DataLocation::External as i32);
        true
    }
}

/// Writes model and weights beside their places, then moves them there, the weights first.
pub(crate) fn save_external(graph: &Graph, header: &Header, path: &Path) -> Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::Request(format!("{} is no name of a file", path.display())))?;
    let location = format!("{name}.data");
    let beside = path.with_file_name(&location);
    let initializers = Skeleton::of(graph, header)?.initializers;
    let mut external = External { location, places: BTreeMap::new() };
    let mut sum = Sha256::new();
    let weights = write_beside(&beside, |out| {
        let mut end = 0u64;
        for (name, id) in &initializers {
            let Some(constant) = graph.constant(*id).filter(|constant| constant.bytes().len() >= LEAST_BYTES) else {
                continue;
            };
            let start = end.next_multiple_of(ALIGNMENT);
            let gap = vec![0; (start - end) as usize];
            for bytes in [gap.as_slice(), constant.bytes()] {
                sum.update(bytes);
                if let Err(error) = out.write_all(bytes) {
                    return Ok(Err(error));
                }
            }
            let length = constant.bytes().len() as u64;
            external.places.insert(name.clone(), (start, length));
            end = start + length;
        }
        Ok(Ok(()))
    })?;
    let mut header = header.clone();
    header.metadata.insert(DATA_DIGEST.to_string(), format!("{:x}", sum.finalize()));
    let model = stage(graph, &seal(graph, &header, Some(&external))?, Some(&external), path)?;
    let old = set_aside(&beside)?;
    persist(weights, &beside).and_then(|()| persist(model, path)).inspect_err(|_| bring_back(old, &beside))
}

/// Gives weights that are about to be replaced a second name, which vanishes unless they are brought back.
fn set_aside(beside: &Path) -> Result<Option<TempPath>> {
    if !beside.is_file() {
        return Ok(None);
    }
    let folder = beside.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Not every file system has hard links; on those a crash between the two moves leaves the weights under this name.
    let rename = |aside: &Path| std::fs::hard_link(beside, aside).or_else(|_| std::fs::rename(beside, aside));
    let aside = tempfile::Builder::new().prefix(".export-").make_in(folder, rename);
    let failed = |source| Error::Io { action: "replacing", path: beside.to_path_buf(), source };
    Ok(Some(aside.map_err(failed)?.into_temp_path()))
}

/// Takes back weights whose model could not be moved to its place. The model's own error is the one to report.
fn bring_back(old: Option<TempPath>, beside: &Path) {
    let _ = match old {
        Some(old) => old.persist(beside).map_err(|error| error.error),
        None => std::fs::remove_file(beside),
    };
}
