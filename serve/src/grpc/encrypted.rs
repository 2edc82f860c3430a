//! Connections for gRPC, encrypted with the certificate that there is when they begin.

use crate::tls::Tls;
use futures_util::future::{Either, select};
use futures_util::stream::{Stream, poll_fn};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Longest time for the handshake of a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The pause after a connection could not be taken, for want of files mostly.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections, each once its handshake is done. None waits for another's.
pub fn incoming(
    listener: TcpListener,
    tls: &Tls,
) -> impl Stream<Item = Result<TlsStream<TcpStream>, Infallible>> + use<> {
    let acceptor = TlsAcceptor::from(Arc::new(tls.grpc()));
    let (sender, mut receiver) = channel(1);
    tokio::spawn(accept(listener, acceptor, sender));
    poll_fn(move |context| receiver.poll_recv(context))
}

/// Takes connections until nobody wants them any more.
async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    sender: Sender<Result<TlsStream<TcpStream>, Infallible>>,
) {
    loop {
        let stream = match select(pin!(listener.accept()), pin!(sender.closed())).await {
            Either::Left((Ok((stream, _)), _)) => stream,
            Either::Left((Err(error), _)) => {
                tracing::warn!("gRPC: a connection could not be taken: {error}");
                sleep(PAUSE).await;
                continue;
            }
            Either::Right(_) => return,
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            // It costs some milliseconds where this is missing, and nothing else.
            let _ = stream.set_nodelay(true);
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // An error says that the server ends.
                Ok(Ok(stream)) => drop(sender.send(Ok(stream)).await),
                Ok(Err(error)) => tracing::debug!("gRPC: no handshake: {error}"),
                Err(_) => tracing::debug!("gRPC: no handshake in {HANDSHAKE:?}"),
            }
        });
    }
}
