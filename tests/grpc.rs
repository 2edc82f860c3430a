//! gRPC from the binary: its address is told, and it ends with the server.

mod support;

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use support::Serving;

#[test]
fn the_grpc_address_is_told_and_an_idle_connection_does_not_hold_up_the_end() {
    let mut serving = Serving::start(Path::new(env!("CARGO_MANIFEST_DIR")), &["--grpc-port", "0"]);
    let address = serving.told("listening for gRPC on ");
    let live = reqwest::blocking::get(format!("{}/v2/health/live", serving.address)).unwrap();
    assert_eq!(live.status(), 200);
    let _idle = TcpStream::connect(&address).unwrap();
    serving.terminate();
    let (code, took) = serving.wait();
    assert!(code == 0 && took < Duration::from_secs(10), "exit code {code} after {took:?}");
    assert!(TcpStream::connect(&address).is_err(), "the address is free again");
}
