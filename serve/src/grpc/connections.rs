//! The connections for gRPC, as they come. None waits for another's beginning.

use super::connection::Host;
use super::serve::stopped;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

/// The pause after a connection could not be taken, for want of files mostly.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves every connection until the server stops, then waits for the end of those that there are.
pub async fn serve(listener: TcpListener, host: Host, stop: watch::Receiver<bool>) {
    let host = Arc::new(host);
    let open = watch::Sender::new(());
    let mut end = pin!(stopped(stop.clone()));
    while let Either::Left((stream, _)) = select(pin!(accept(&listener)), end.as_mut()).await {
        let (host, stop, guard) = (host.clone(), stop.clone(), open.subscribe());
        tokio::spawn(async move {
            host.serve(stream, stop).await;
            drop(guard);
        });
    }
    // Who comes now is refused instead of waiting for an answer that never comes.
    drop(listener);
    open.closed().await;
}

/// The next connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // It costs some milliseconds where this is missing, and nothing else.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => {
                tracing::warn!("gRPC: a connection could not be taken: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}
