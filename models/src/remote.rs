//! Devices of other machines: Burn's remote devices, over WebSocket.

use crate::Error;
use burn::remote::RemoteHost;
use burn::server::{RemoteServer, TokenAuthorizer, WebSocketTransport};
use burn::tensor::Device;
use std::net::TcpListener;

/// Environment variable with the token that a lender asks for.
pub const TOKEN: &str = "SELFIE_DEVICE_TOKEN";

/// Connects to a device that another process lends; `place` is the name without its `ws://`.
pub(crate) fn open(name: &str, place: &str) -> Result<Device, Error> {
    let wrong = |reason: String| Error::Device { name: name.to_owned(), reason };
    let (server, number) = place.split_once('/').unwrap_or((place, "0"));
    let number: usize =
        number.parse().map_err(|_| wrong(format!("{number:?} is no device number; write ws://{server}/0")))?;
    let host = RemoteHost::websocket(&format!("ws://{server}"));
    let host = match std::env::var(TOKEN) {
        Ok(token) => host.with_credential(token.as_str()),
        Err(_) => host,
    };
    let device = Device::remote_options(&host).device_index(number).init();
    device.map_err(|error| wrong(format!("{error}; `selfie lend` must run there, with the same {TOKEN} as here")))
}

/// Lends devices of one kind to other processes until this one is told to end, with a token only to those that know it.
///
/// # Errors
/// [`Error::Device`] when it cannot listen, or the token is empty.
pub fn lend(devices: Vec<Device>, listener: TcpListener, token: Option<&str>) -> Result<(), Error> {
    let wrong = |reason: String| Error::Device { name: "lent".into(), reason };
    let mut server = RemoteServer::new(devices);
    if let Some(token) = token {
        server = server.with_authorizer(TokenAuthorizer::new(token).map_err(|error| wrong(error.to_string()))?);
    }
    server.serve(WebSocketTransport::from_listener(listener)).map_err(|error| wrong(error.to_string()))
}
