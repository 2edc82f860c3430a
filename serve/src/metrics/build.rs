//! `selfie_build_info`: which build answers.

use super::register as add;
use crate::Error;
use prometheus::{IntGaugeVec, Opts, Registry};

/// Registers the metric.
///
/// # Errors
/// The name is taken.
pub fn register(registry: &Registry) -> Result<(), Error> {
    let opts = Opts::new("selfie_build_info", "1; the labels say which build this is.");
    let info = add(registry, IntGaugeVec::new(opts, &["version"]))?;
    info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    Ok(())
}
