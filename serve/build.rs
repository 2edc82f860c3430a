//! Generates the messages and services of `proto/`, by a compiler that cargo brings.

use prost::Message;
use std::error::Error;
use std::path::Path;

const FILES: [&str; 3] = ["proto/inference.proto", "proto/health.proto", "proto/trace.proto"];

/// Those of the services that clients find here, whose descriptions they may ask for.
const SERVED: [&str; 2] = ["proto/inference.proto", "proto/health.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let services = protox::compile(SERVED, ["proto"])?.encode_to_vec();
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("services.bin"), services)?;
    let files = protox::compile(FILES, ["proto"])?;
    // Tensors stay in the memory in which they arrive.
    tonic_prost_build::configure().bytes(".").codec_path("crate::grpc::codec::Codec").compile_fds(files)?;
    Ok(())
}
