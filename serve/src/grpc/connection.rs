//! The life of one connection: its handshake if it is encrypted, its preface, its calls, and its end when nobody calls any more.

use super::calls::Calls;
use super::front::Front;
use super::serve::stopped;
use crate::tls::Tls;
use futures_util::future::{Either, select};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::{Cursor, Error, ErrorKind, Result};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join, split};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;

/// Longest time for the handshake of a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Longest time for the preface, as REST has for the head of a request.
const PREFACE: Duration = Duration::from_secs(5);

/// The length of `PRI * HTTP/2.0` and what follows it.
///
/// # Source
/// RFC 9113, section 3.4.
const PREFACE_BYTES: usize = 24;

/// Shortest time that an idle connection is kept: in less a client that has connected may not come to call.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);

/// Longest time for a client to confirm that its connection ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a client may send of one call, and on one connection, before it has to wait for the server to take it.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// What every connection is served with.
pub struct Host {
    front: Front,
    tls: Option<TlsAcceptor>,
    http: Builder<TokioExecutor>,
    keep_alive: Duration,
}

impl Host {
    /// Encrypted with `tls`, if there is one. A connection without a call in flight is kept for `keep_alive_ms`.
    pub fn new(front: Front, tls: Option<&Tls>, keep_alive_ms: u64) -> Self {
        let keep_alive = Duration::from_millis(keep_alive_ms).max(SHORTEST_IDLE);
        let mut http = Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            // Streams may stay open for long, and must not keep other calls of their client out.
            .max_concurrent_streams(None::<u32>)
            .keep_alive_interval(keep_alive);
        Self { front, tls: tls.map(|tls| TlsAcceptor::from(Arc::new(tls.grpc()))), http, keep_alive }
    }

    /// Serves a connection until its client leaves, nobody has called for long, or the server stops and all calls are answered.
    pub async fn serve(&self, stream: TcpStream, stop: watch::Receiver<bool>) {
        let served = match &self.tls {
            None => self.greet(stream, stop).await,
            Some(tls) => match in_time("handshake", HANDSHAKE, tls.accept(stream)).await {
                Ok(stream) => self.greet(stream, stop).await,
                Err(error) => Err(error),
            },
        };
        if let Err(error) = served {
            tracing::debug!("gRPC: a connection ends: {error}");
        }
    }

    async fn greet<S>(&self, stream: S, stop: watch::Receiver<bool>) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (mut reader, writer) = split(stream);
        let mut preface = [0; PREFACE_BYTES];
        in_time("preface", PREFACE, reader.read_exact(&mut preface)).await?;
        // It is read once more by who understands it.
        let stream = join(Cursor::new(preface).chain(reader), writer);
        self.answer(stream, stop).await.map_err(Error::other)
    }

    async fn answer<S>(&self, stream: S, stop: watch::Receiver<bool>) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let calls = Calls::none();
        let service = service_fn(|request: Request<_>| {
            let (front, call, start) = (self.front.clone(), calls.begin(), Instant::now());
            async move {
                let response = front.answer(request.map(Body::new), start).await;
                // The call lasts until the last of the answer is fetched.
                let held = |body: Body| {
                    Body::new(body.map_frame(move |frame| {
                        let _call = &call;
                        frame
                    }))
                };
                Ok::<_, Infallible>(response.map(held))
            }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let idle = pin!(calls.none_for(self.keep_alive));
        let stopped = pin!(stopped(stop));
        if let Either::Left((served, _)) = select(connection.as_mut(), select(idle, stopped)).await {
            return served;
        }
        // Calls that are on their way are still answered; the client makes the next ones on another connection.
        connection.as_mut().graceful_shutdown();
        let late = pin!(async {
            sleep(FAREWELL).await;
            calls.none_for(FAREWELL).await;
        });
        match select(connection, late).await {
            Either::Left((served, _)) => served,
            Either::Right(_) => Ok(()),
        }
    }
}

/// What comes of a connection that begins, unless it takes too long.
async fn in_time<T>(what: &str, limit: Duration, coming: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Error::new(ErrorKind::TimedOut, format!("no {what} in {limit:?}"));
    timeout(limit, coming).await.map_err(late)?
}
