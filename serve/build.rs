//! Generates the messages and services of `proto/`, by a compiler that cargo brings.

use std::error::Error;

const FILES: [&str; 3] = ["proto/inference.proto", "proto/health.proto", "proto/trace.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(FILES, ["proto"])?;
    // Tensors stay in the memory in which they arrive.
    tonic_prost_build::configure().bytes(".").codec_path("crate::grpc::codec::Codec").compile_fds(files)?;
    Ok(())
}
