//! The gRPC server's life, on threads of its own.

use super::connection::Host;
use super::connections;
use super::front::Front;
use crate::Error;
use crate::app::App;
use crate::tls::Tls;
use futures_util::future::select;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// At the end, longest time to hand over the last answers. Connections on which nobody speaks are cut with it.
const GRACE: Duration = Duration::from_secs(2);

/// A running server.
pub struct Running {
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Starts to serve on `listener`, with so many threads.
    ///
    /// # Errors
    /// [`Error::Server`] when the system gives no threads.
    pub fn start(app: Arc<App>, listener: TcpListener, tls: Option<Tls>, threads: usize) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("grpc")
            .enable_all()
            .build()
            .map_err(failed)?;
        let stop = watch::Sender::new(false);
        let stopped = stop.subscribe();
        let thread = std::thread::Builder::new()
            .name("grpc".into())
            .spawn(move || serve(&runtime, app, listener, tls, stopped))
            .map_err(failed)?;
        Ok(Self { stop, thread })
    }

    /// What ends the server when it is set: nothing new is taken, and what is in flight is finished.
    pub fn stop(&self) -> watch::Sender<bool> {
        self.stop.clone()
    }

    /// Ends the server and waits for that.
    ///
    /// # Errors
    /// [`Error::Server`] when its machinery has failed.
    pub fn join(self) -> Result<(), Error> {
        self.stop.send_replace(true);
        self.thread.join().unwrap_or_else(|_| Err(failed("its thread panicked")))
    }
}

fn serve(
    runtime: &Runtime,
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Tls>,
    stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let drain = Duration::from_millis(app.config.drain_timeout_ms);
    runtime.block_on(async {
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let front = Front::new(app.clone(), stop.clone())?;
        let host = Host::new(front, tls.as_ref(), app.config.keep_alive_ms);
        let serving = pin!(connections::serve(listener, host, stop.clone()));
        let late = pin!(async {
            stopped(stop).await;
            let deadline = Instant::now() + drain;
            while app.in_flight() > 0 && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::sleep(GRACE).await;
        });
        select(serving, late).await;
        Ok(())
    })
}

/// Waits until the server is to stop.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error says that nobody can ask for the end any more, which is a reason to end.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Server { reason: format!("gRPC: {error}") }
}
