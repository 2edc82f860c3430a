//! gRPC from the binary: its address is told, and it ends with the server.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::{PATIENCE, Serving, client};

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

/// The beginning of a connection of HTTP/2, and settings that say nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[cfg(target_os = "linux")]
#[test]
fn without_files_for_more_connections_it_waits_and_costs_nothing() {
    let mut command = Command::new("sh");
    let serve = ["serve", "--port", "0", "--grpc-port", "0", "--runtime", "tract"];
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_selfie")]).args(serve);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let mut serving = Serving::spawn(command);
    let address = serving.told("listening for gRPC on ");
    // The threads for HTTP have what files they need once one has answered.
    client().get(format!("{}/v2/health/live", serving.address)).send().unwrap();
    let connections: Vec<TcpStream> = (0..64).map(|_| TcpStream::connect(&address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(500));
    let before = serving.cpu_ticks();
    std::thread::sleep(Duration::from_secs(1));
    let ticks = serving.cpu_ticks() - before;
    assert!(ticks < 50, "{ticks} hundredths of a second of processor time in one second");
    drop(connections);
    let mut connection = TcpStream::connect(&address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.write_all(PREFACE).unwrap();
    let mut frame = [0; 9];
    connection.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4, "the server's own settings: {frame:?}");
}
