//! `selfie_in_flight`: requests that have been received and not answered, for whom replicas are added and removed.

use super::register;
use crate::Error;
use prometheus::{IntGauge, Opts, Registry};

/// Registers the gauge.
///
/// # Errors
/// The name is taken.
pub fn gauge(registry: &Registry) -> Result<IntGauge, Error> {
    let help = "Requests of HTTP and gRPC that have been received and not answered.";
    register(registry, IntGauge::with_opts(Opts::new("selfie_in_flight", help)))
}
