//! The fuzz targets of `fuzz/` on a stable compiler: mutations of kept seeds, guided by the errors that are new.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod campaign;
mod mutate;
mod targets;

use std::time::Duration;

/// Seconds of all targets together in the short form.
const SHORT: Duration = Duration::from_secs(5);
/// Seconds of each target in the long form.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn fuzz_short() {
    let targets = targets::all();
    for target in &targets {
        campaign::run(target, SHORT / targets.len() as u32, 1);
    }
}

#[test]
#[ignore = "ten minutes a target; the gate runs each for a moment"]
fn fuzz_long() {
    let seconds = std::env::var("SELFIE_FUZZ_SECONDS").ok().map(|text| Duration::from_secs(text.parse().unwrap()));
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let seed = std::env::var("SELFIE_FUZZ_SEED").map_or_else(|_| now(), |text| text.parse().unwrap());
    let wanted = std::env::var("SELFIE_FUZZ_TARGET").ok();
    let chosen = targets::all().into_iter().filter(|target| wanted.as_ref().is_none_or(|name| target.name == name));
    let run = chosen.map(|target| campaign::run(&target, seconds.unwrap_or(LONG), seed)).count();
    assert!(run > 0, "{wanted:?} is no target");
}
