//! gRPC from the binary: its address is told, and it ends with the server.

mod support;

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use support::{Serving, client};

/// How long the server may drain; its end must not take so long.
const DRAIN_MS: u64 = 120_000;

#[test]
fn the_grpc_address_is_told_and_an_idle_connection_does_not_hold_up_the_end() {
    let drain = DRAIN_MS.to_string();
    let arguments = ["--grpc-port", "0", "--drain-timeout-ms", &drain];
    let mut serving = Serving::start(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments);
    let address = serving.told("listening for gRPC on ");
    let live = client().get(format!("{}/v2/health/live", serving.address)).send().unwrap();
    assert_eq!(live.status(), 200);
    let _idle = TcpStream::connect(&address).unwrap();
    serving.terminate();
    let (code, took) = serving.wait();
    assert!(code == 0 && took < Duration::from_millis(DRAIN_MS / 2), "exit code {code} after {took:?}");
    assert!(TcpStream::connect(&address).is_err(), "the address is free again");
}
