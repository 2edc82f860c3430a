//! How many threads one inference gets on a processor, and how many inferences run at once.
//!
//! The threads of one inference wait for each other at every operation. On a small model that costs more than it gains: a thread
//! alone is as fast, and the others run other batches meanwhile.

use super::Options;
use super::race::race;
use crate::config::threads;
use std::fmt;
use std::time::Duration;

/// Twice the threads must be so many times faster.
const GAIN: f64 = 1.5;
/// Most inferences at once of one model.
const MOST_AT_ONCE: usize = 16;
/// Bytes that the weights of all sessions of one model may take together.
const WEIGHTS: u64 = 256 << 20;

/// How a model is spread over the processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Threads of one inference.
    pub threads: usize,
    /// Inferences at once.
    pub at_once: usize,
}

impl Spread {
    /// What the options say, or nothing when it is to be measured. `weights` is the size in bytes of the weights that one
    /// inference at a time takes.
    pub fn asked(options: &Options, weights: u64) -> Option<Self> {
        let processors = threads(0);
        match (options.threads, options.sessions) {
            (0, 0) if processors > 1 && most_at_once(weights) > 1 => None,
            (0, 0 | 1) => Some(Self { threads: processors, at_once: 1 }),
            (0, at_once) => Some(Self { threads: (processors / at_once).max(1), at_once }),
            (threads, 0) => Some(Self::filling(processors, threads, weights)),
            (threads, at_once) => Some(Self { threads, at_once }),
        }
    }

    /// Measures: doubles the threads of one inference as long as that makes it [`GAIN`] times faster. `open` makes a session with
    /// so many threads, `run` runs it on one item and tells how long that took. Gives the session that was best and what was found, in words.
    ///
    /// # Errors
    /// Those of `open`. A session that cannot run is left for others to find.
    pub fn measured<S, E>(
        weights: u64,
        open: impl Fn(usize) -> Result<S, E>,
        run: impl Fn(&mut S) -> Result<Duration, String>,
    ) -> Result<(Self, S, String), E> {
        let processors = threads(0);
        let mut best = (1, open(1)?);
        let mut told = Vec::new();
        while best.0 < processors {
            let next = (best.0 * 2).min(processors);
            let mut session = open(next)?;
            let Ok([one, other]) = race([&mut best.1, &mut session], &run) else { break };
            if told.is_empty() {
                told.push(Took(best.0, one));
            }
            told.push(Took(next, other));
            let gain = GAIN.powf((next as f64 / best.0 as f64).log2());
            if other.mul_f64(gain) > one {
                break;
            }
            best = (next, session);
        }
        let (threads, session) = best;
        let told: Vec<String> = told.iter().map(Took::to_string).collect();
        Ok((Self::filling(processors, threads, weights), session, told.join(", ")))
    }

    /// As many inferences at once as the processors have room for.
    fn filling(processors: usize, threads: usize, weights: u64) -> Self {
        Self { threads, at_once: (processors / threads).clamp(1, most_at_once(weights)) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (at_once, threads) = (number(self.at_once, "inference"), number(self.threads, "thread"));
        write!(formatter, "{at_once} at once, {threads} each")
    }
}

fn most_at_once(weights: u64) -> usize {
    usize::try_from(WEIGHTS / weights.max(1)).unwrap_or(MOST_AT_ONCE).clamp(1, MOST_AT_ONCE)
}

/// Threads, and what one item takes on them.
struct Took(usize, Duration);

impl fmt::Display for Took {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(threads, took) = self;
        let plural = if *threads == 1 { "" } else { "s" };
        write!(formatter, "{:.2} ms on {threads} thread{plural}", took.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: u64 = 1 << 20;

    #[test]
    fn what_is_asked_for_is_not_measured() {
        let asked = |threads, sessions| Spread::asked(&Options { threads, sessions, ..Options::default() }, SMALL);
        assert_eq!(asked(3, 2), Some(Spread { threads: 3, at_once: 2 }));
        assert_eq!(asked(0, 1), Some(Spread { threads: threads(0), at_once: 1 }));
        assert_eq!(asked(0, 1000), Some(Spread { threads: 1, at_once: 1000 }));
        assert_eq!(asked(1000, 0), Some(Spread { threads: 1000, at_once: 1 }));
        assert_eq!(asked(0, 0).is_none(), threads(0) > 1);
    }

    #[test]
    fn large_weights_are_not_held_twice() {
        assert_eq!(Spread::filling(8, 1, SMALL).at_once, 8);
        assert_eq!(Spread::filling(64, 1, SMALL).at_once, MOST_AT_ONCE);
        assert_eq!(Spread::filling(8, 3, SMALL).at_once, 2);
        assert_eq!(Spread::filling(8, 1, WEIGHTS / 2).at_once, 2);
        assert_eq!(Spread::filling(8, 1, WEIGHTS + 1).at_once, 1);
        assert!(Spread::asked(&Options::default(), WEIGHTS).is_some());
    }

    #[test]
    fn threads_are_doubled_as_long_as_they_pay() {
        let measure = |gain: f64| {
            let run = |threads: &mut usize| Ok(Duration::from_millis(4).div_f64(gain.powf((*threads as f64).log2())));
            Spread::measured(SMALL, Ok::<_, String>, run).unwrap()
        };
        let (spread, session, told) = measure(1.0);
        assert_eq!((spread.threads, session), (1, 1), "{told}");
        assert_eq!(spread.at_once, threads(0).min(MOST_AT_ONCE));
        let (spread, session, told) = measure(1.9);
        assert_eq!((spread.threads, session), (threads(0), threads(0)), "{told}");
        assert_eq!(spread.at_once, 1);
        assert!(threads(0) == 1 || told.contains("ms on 1 thread,"), "{told}");
    }

    #[test]
    fn a_session_that_cannot_run_is_left_for_others_to_find() {
        let run = |_: &mut usize| Err("no".to_owned());
        let (spread, session, told) = Spread::measured(SMALL, Ok::<_, String>, run).unwrap();
        assert_eq!((spread.threads, session, told.as_str()), (1, 1, ""));
        assert_eq!(Spread { threads: 2, at_once: 1 }.to_string(), "1 inference at once, 2 threads each");
    }
}
