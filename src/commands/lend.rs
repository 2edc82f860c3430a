//! `selfie lend`

use anyhow::{Context, ensure};
use selfie_models::{device, remote};
use std::net::{IpAddr, TcpListener};

/// Arguments of `selfie lend`.
#[derive(clap::Args)]
pub struct Arguments {
    /// What to lend: cpu, or vulkan, cuda, metal, wgpu where built in, with :N for one of several and commas between them.
    #[arg(long, default_value = "cpu", value_name = "DEVICE[,DEVICE]...")]
    device: String,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value = "9000", value_name = "PORT")]
    port: u16,
    /// What a training on another machine must know, in the same variable. It travels unencrypted, as all else does.
    #[arg(long, env = remote::TOKEN, hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let Self { device, host, port, token } = self;
        ensure!(
            token.is_some() || host.is_loopback(),
            "{host} is open to others; set {} here and there",
            remote::TOKEN
        );
        let devices = device::open_all(&device)?;
        let listener = TcpListener::bind((host, port)).with_context(|| format!("cannot listen on {host}:{port}"))?;
        let address = listener.local_addr()?;
        println!("listening on ws://{address}");
        for (number, name) in device::names(&device).enumerate() {
            println!("{name} is lent as ws://{address}/{number}");
        }
        Ok(remote::lend(devices, listener, token.as_deref())?)
    }
}
