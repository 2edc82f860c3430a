//! Which of two sessions is faster.

use std::time::Duration;

/// Most runs of each session when two are compared, and how long they may take together after the first ones, which take memory and
/// say little: a model of 100 ms an image needs some more as well.
const RUNS: usize = 9;
const BUDGET: Duration = Duration::from_millis(600);

/// The least time of each, in turn. The first runs count only when there is no time for others.
///
/// # Errors
/// That of `run`, which runs a session once and tells how long that took.
pub fn race<S>(
    mut sessions: [&mut S; 2],
    run: impl Fn(&mut S) -> Result<Duration, String>,
) -> Result<[Duration; 2], String> {
    let mut timed = |session: usize| run(sessions[session]);
    let first = [timed(0)?, timed(1)?];
    let (mut least, mut spent) = ([Duration::MAX; 2], Duration::ZERO);
    for _ in 0..RUNS {
        if spent + first[0] + first[1] > BUDGET {
            break;
        }
        for (session, least) in least.iter_mut().enumerate() {
            let took = timed(session)?;
            spent += took;
            *least = took.min(*least);
        }
    }
    Ok([0, 1].map(|session| if least[session] == Duration::MAX { first[session] } else { least[session] }))
}
