//! The digest that a file carries of itself.

use sha2::{Digest, Sha256};

use super::Header;
use super::external::External;
use super::write::encode;
use crate::Result;
use crate::ir::Graph;

/// The key of the digest in the metadata.
const KEY: &str = "selfie.sha256";

/// The header with the SHA-256 of the whole file in its metadata, taken while zeros stand in the place of its digits.
pub(super) fn seal(graph: &Graph, header: &Header, external: Option<&External>) -> Result<Header> {
    let mut header = header.clone();
    let mut sum = Sha256::new();
    header.metadata.insert(KEY.to_string(), "0".repeat(2 * Sha256::output_size()));
    encode(graph, &header, external, &mut sum)?.map_err(super::write::in_memory)?;
    header.metadata.insert(KEY.to_string(), format!("{:x}", sum.finalize()));
    Ok(header)
}
