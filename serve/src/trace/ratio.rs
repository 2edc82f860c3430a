//! Which of the requests that begin a trace are sampled.

use super::TraceId;

/// A share of all traces, decided by their ids, so that every service with the same share takes the same ones.
///
/// # Source
/// OpenTelemetry's `TraceIdRatioBased`, as its libraries reckon it: by the last eight bytes of the id, without their last bit.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    bound: u64,
}

impl Ratio {
    /// `share` of all, 0 to 1.
    pub fn new(share: f64) -> Self {
        Self { bound: (share * (1u64 << 63) as f64) as u64 }
    }

    /// Whether the trace is one of them.
    pub fn takes(self, TraceId(id): TraceId) -> bool {
        u64::from_be_bytes([id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]]) >> 1 < self.bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_taken_and_a_larger_share_holds_the_smaller() {
        let ids: Vec<TraceId> = (0..4000).map(|_| TraceId::random()).collect();
        let taken = |share: f64| ids.iter().filter(|id| Ratio::new(share).takes(**id)).count();
        assert_eq!([taken(0.0), taken(1.0)], [0, ids.len()]);
        // Ten standard deviations.
        assert!(taken(0.25).abs_diff(1000) < 275, "{}", taken(0.25));
        assert!(ids.iter().all(|id| !Ratio::new(0.2).takes(*id) || Ratio::new(0.6).takes(*id)));
        assert!(Ratio::new(1.0).takes(TraceId([0xff; 16])));
    }
}
