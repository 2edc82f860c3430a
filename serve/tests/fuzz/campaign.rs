//! One target for some time: the seeds as they are, then what is made of them.

use super::mutate::{Random, mutate};
use super::targets::Target;
use std::collections::BTreeSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time of one case.
const SLOW: Duration = Duration::from_secs(30);
/// Most inputs that are kept: they must not be what the process grows by.
const MOST_INPUTS: usize = 1024;
/// Letters by which answers are told apart.
const LONGEST_ANSWER: usize = 200;
/// What the address space of the process may grow by for one case. In the course of time it grows by more: the C library takes 64 MiB of addresses
/// whenever a thread is the first to allocate beside others.
const LARGE_KB: u64 = 512 << 10;

/// Runs the target for `time`.
pub fn run(target: &Target, time: Duration, seed: u64) {
    let mut random = Random(seed);
    let mut inputs = seeds(target.name);
    let mut seen = BTreeSet::new();
    let start = Instant::now();
    let mut cases = 0u64;
    for input in &inputs {
        seen.insert(answer(target, input));
    }
    let first = space();
    let mut before = first.now_kb;
    while start.elapsed() < time {
        let (input, other) = (random.pick(&inputs), random.pick(&inputs));
        let case = mutate(input, other, target.words, &mut random);
        cases += 1;
        let answer = answer(target, &case);
        let space = space();
        let grown = space.peak_kb.saturating_sub(before);
        assert!(grown < LARGE_KB, "{} grows by {grown} kB with {}", target.name, keep(target, &case).display());
        before = space.now_kb;
        // An answer that is new leads to others.
        if seen.insert(answer) {
            match inputs.len() < MOST_INPUTS {
                true => inputs.push(case),
                false => inputs[random.below(MOST_INPUTS)] = case,
            }
        }
    }
    let grown = space().peak_kb.saturating_sub(first.peak_kb);
    let told = format!("fuzz {}: {cases} cases, {} kinds of answers, +{grown} kB\n", target.name, seen.len());
    // Not by eprintln, whose text the test runner swallows.
    std::io::stderr().write_all(told.as_bytes()).unwrap();
}

/// The answer to a case without what differs from case to case.
fn answer(target: &Target, case: &[u8]) -> String {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| (target.call)(case)));
    let Ok(answer) = result else { panic!("{} panics on {}", target.name, keep(target, case).display()) };
    let took = start.elapsed();
    assert!(took < SLOW, "{} takes {took:?} for {}", target.name, keep(target, case).display());
    match answer {
        Ok(()) => String::new(),
        Err(error) => {
            let text = error.to_string();
            let text = text.split(['"', '[', '`']).step_by(2).flat_map(str::chars).filter(is_text);
            text.take(LONGEST_ANSWER).collect()
        }
    }
}

fn is_text(character: &char) -> bool {
    character.is_ascii_alphabetic() || *character == ' '
}

/// Writes a finding into a file.
fn keep(target: &Target, case: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}-{}", target.name, case.len()));
    std::fs::write(&path, case).unwrap();
    path
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut paths: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds no seed", folder.display());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The address space of the process. Memory that was taken and not touched counts: the next machine may refuse it.
struct Space {
    peak_kb: u64,
    now_kb: u64,
}

/// What it is; 0 where the system does not say.
fn space() -> Space {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let read = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
    };
    Space { peak_kb: read("VmPeak:"), now_kb: read("VmSize:") }
}
