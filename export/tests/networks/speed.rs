//! How long every network runs with its passes and with none, as a table of `docs/passes.md`: a measurement of minutes
//! on a quiet machine, and therefore no part of the gate.

use std::fmt::Write;
use std::time::{Duration, Instant};

use burn::tensor::TensorData;
use selfie_export::verify::{OnnxRuntime, Runner, Session};

use crate::network::encoded;
use crate::{NETWORKS, document};

const HEADING: &str = "## What they gain in time\n";
/// How long the two files of a network run in turn.
const TIME: Duration = Duration::from_secs(3);
/// Rounds at least, for networks that are slow.
const ROUNDS: usize = 31;
/// The part by which medians of the same file differ from one measurement to the next.
const NOISE: f64 = 0.05;

#[test]
#[ignore = "a measurement of minutes, which wants a quiet machine"]
fn no_network_is_slower_with_its_passes() {
    let runtime = OnnxRuntime::from_env().expect("ORT_DYLIB_PATH names a library that loads");
    let runtime = runtime.expect("ORT_DYLIB_PATH names the library of ONNX Runtime");
    let bare = runtime.clone().without_optimizer();
    let mut text = format!(
        "{HEADING}\nThe same networks in ONNX Runtime, without and with the optimisations of its own: microseconds of a run at \
         the last sizes of the test, with no pass and with all, and their ratio. The two files run in turn, medians. \
         Machine: {}. `UPDATE_DOCS=1 cargo test --release -p selfie-export --test networks -- --ignored slower` \
         measures again and fails where passes cost more than {:.0} %.\n\n\
         | network | before | after | ratio | optimised, before | after | ratio |\n|---|---:|---:|---:|---:|---:|---:|\n",
        machine(),
        NOISE * 100.0
    );
    let mut slower = Vec::new();
    for network in NETWORKS {
        let network = network();
        let files = [network.without_passes(), network.model(network.opset)];
        let inputs = network.cases(&files[1]).pop().expect("a case").inputs;
        let files = files.map(|model| encoded(&model));
        let mut row = format!("| {} |", network.name);
        for runtime in [&bare, &runtime] {
            let mut sessions = files.each_ref().map(|file| runtime.load(file).expect("ONNX Runtime takes it"));
            let [before, after] = medians(&mut sessions, &inputs);
            let ratio = after / before;
            write!(row, " {:.0} | {:.0} | {ratio:.2} |", before * 1e6, after * 1e6).expect("text grows");
            if ratio > 1.0 + NOISE {
                slower.push(format!("{}: {ratio:.3}", network.name));
            }
        }
        eprintln!("{row}");
        writeln!(text, "{row}").expect("text grows");
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        document::write(HEADING, &text);
    }
    assert!(slower.is_empty(), "slower with passes:\n{}", slower.join("\n"));
}

/// Median seconds of both, which run in turn and change who goes first.
fn medians(sessions: &mut [Box<dyn Session>; 2], inputs: &[TensorData]) -> [f64; 2] {
    let mut seconds = [vec![], vec![]];
    let begun = Instant::now();
    let mut round = 0;
    while round <= ROUNDS || begun.elapsed() < TIME {
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for side in order {
            let start = Instant::now();
            sessions[side].run(inputs).expect("ONNX Runtime runs it");
            if round > 0 {
                seconds[side].push(start.elapsed().as_secs_f64());
            }
        }
        round += 1;
    }
    seconds.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    })
}

/// The processor, as Linux names it.
fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{threads} threads of {}", name.map_or("an unknown processor", |(_, name)| name))
}
