//! The connections for gRPC, plain, or encrypted with the certificate that there is when they begin.

use crate::tls::Tls;
use futures_util::future::{Either, select};
use futures_util::stream::{Stream, poll_fn, unfold};
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
/// The pause after a connection could not be taken, for want of files mostly. tonic itself makes none, and takes a whole processor.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections as they come.
pub fn plain(listener: TcpListener) -> impl Stream<Item = Result<TcpStream, Infallible>> {
    unfold(listener, |listener| async move { Some((Ok(accept(&listener).await), listener)) })
}

/// The connections, each once its handshake is done. None waits for another's.
pub fn encrypted(
    listener: TcpListener,
    tls: &Tls,
) -> impl Stream<Item = Result<TlsStream<TcpStream>, Infallible>> + use<> {
    let acceptor = TlsAcceptor::from(Arc::new(tls.grpc()));
    let (sender, mut receiver) = channel(1);
    tokio::spawn(shake_hands(listener, acceptor, sender));
    poll_fn(move |context| receiver.poll_recv(context))
}

/// Takes connections until nobody wants them any more.
async fn shake_hands(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    sender: Sender<Result<TlsStream<TcpStream>, Infallible>>,
) {
    loop {
        let stream = match select(pin!(accept(&listener)), pin!(sender.closed())).await {
            Either::Left((stream, _)) => stream,
            Either::Right(_) => return,
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // An error says that the server ends.
                Ok(Ok(stream)) => drop(sender.send(Ok(stream)).await),
                Ok(Err(error)) => tracing::debug!("gRPC: no handshake: {error}"),
                Err(_) => tracing::debug!("gRPC: no handshake in {HANDSHAKE:?}"),
            }
        });
    }
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
