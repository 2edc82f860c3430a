//! A server that costs nothing itself: requests only wait for a processor. No server does better at the same load that gives an image
//! one processor; where several work at one image, as pays with large networks, a request takes less while few come.

use std::time::Duration;

/// The time of each request in seconds. They come at `arrivals`; the first goes first, to the processor that is free first, and keeps it for
/// `each` seconds.
pub fn times(arrivals: &[Duration], processors: usize, each: f64) -> Vec<f64> {
    let mut free = vec![0.0f64; processors.max(1)];
    let mut time = |arrival: &Duration| {
        let arrival = arrival.as_secs_f64();
        let first = free.iter_mut().min_by(|a, b| a.total_cmp(b))?;
        *first = first.max(arrival) + each;
        Some(*first - arrival)
    };
    arrivals.iter().filter_map(&mut time).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Summary;
    use super::super::arrivals::poisson;
    use super::*;

    #[test]
    fn a_request_waits_for_the_processor_that_is_free_first() {
        let arrivals = [0, 1, 2, 3, 100].map(Duration::from_secs);
        assert_eq!(times(&arrivals, 1, 10.0), [10.0, 19.0, 28.0, 37.0, 10.0]);
        assert_eq!(times(&arrivals, 2, 10.0), [10.0, 10.0, 18.0, 18.0, 10.0]);
        assert!(times(&[], 2, 10.0).is_empty());
    }

    /// Why a p99 of twice the p50 is out of reach at this load, whoever serves.
    #[test]
    fn at_eighty_percent_of_two_processors_the_p99_is_almost_four_times_the_p50() {
        let found = Summary::of(&times(&poisson(1.6, Duration::from_secs(200_000), 1), 2, 1.0));
        let ratio = found.p99_ms / found.p50_ms;
        assert!((3.7..4.0).contains(&ratio), "it is {ratio} times the p50");
    }

    /// # Source
    /// Pollaczek and Khinchine: with constant service at a load of rho the mean time is `1 + rho / (2 (1 - rho))` of a service.
    #[test]
    fn the_mean_time_is_that_of_a_queue_with_constant_service() {
        let load = 0.8;
        let found = times(&poisson(load, Duration::from_secs(400_000), 3), 1, 1.0);
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        assert!((mean - 3.0).abs() < 0.1, "the mean is {mean}");
    }
}
