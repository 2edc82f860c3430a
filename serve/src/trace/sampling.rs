//! Which requests are traced, as far as that changes while the server runs.

/// Which requests are traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Whether any is.
    pub is_on: bool,
    /// One in so many of those whose sender has not decided it; 0 for none of them.
    pub one_in: u64,
}

impl Sampling {
    /// The one that comes next to a share, 0 to 1.
    pub fn of(share: f64) -> Self {
        // Shares that are so small are no share.
        let one_in = if share > 0.0 { (1.0 / share).round() as u64 } else { 0 };
        Self { is_on: true, one_in }
    }

    /// The share.
    pub fn share(self) -> f64 {
        if self.one_in == 0 { 0.0 } else { 1.0 / self.one_in as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_one_in_so_many() {
        for (share, one_in, back) in [(1.0, 1, 1.0), (0.05, 20, 0.05), (0.0, 0, 0.0), (0.3, 3, 1.0 / 3.0)] {
            let sampling = Sampling::of(share);
            assert_eq!((sampling.is_on, sampling.one_in, sampling.share()), (true, one_in, back), "{share}");
        }
    }
}
