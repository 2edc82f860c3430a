//! The server's life: bind, load, serve, drain, end.

use crate::engine::Engine;
use crate::gallery::Galleries;
use crate::http::{Access, App, Phase, configure, observe};
use crate::metrics::Metrics;
use crate::{Config, Error};
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{HttpServer, rt};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Most threads for HTTP by default: they only read, write and wait.
const HTTP_THREADS: usize = 4;

/// A server that has its address and its models and is not running yet.
pub struct Server {
    app: Data<App>,
    listener: TcpListener,
    addr: SocketAddr,
    stop: watch::Sender<bool>,
}

/// Stops a running server from another thread.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Asks the server to finish what is in flight and end, as SIGTERM does.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Takes the address, then loads the models. Connections that come meanwhile wait.
    ///
    /// # Errors
    /// An option is wrong, the address is taken, or no model can be served.
    pub fn bind(config: Config) -> Result<Self, Error> {
        config.check()?;
        let access = Access::open(&config)?;
        let address = format!("{}:{}", config.host, config.port);
        let refused = |source: std::io::Error| {
            let hint = match source.kind() {
                std::io::ErrorKind::AddrInUse => "; another program has the port, choose another or 0 for a free one",
                std::io::ErrorKind::PermissionDenied => "; ports below 1024 are for root",
                _ => "",
            };
            Error::Bind { address: address.clone(), source, hint }
        };
        let listener = TcpListener::bind((config.host.as_str(), config.port)).map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let metrics = Metrics::new()?;
        let engine = Engine::open(&config, &metrics)?;
        let galleries = Galleries::open(&config, &engine)?;
        galleries.iter().for_each(|gallery| metrics.galleries.opened(&gallery.name, gallery.len()));
        let app = Data::new(App::new(engine, galleries, metrics, config, access));
        Ok(Self { app, listener, addr, stop: watch::Sender::new(false) })
    }

    /// The address, with the real port when 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The models and the runtime.
    pub fn engine(&self) -> &Engine {
        &self.app.engine
    }

    /// A handle to stop the server with.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// Serves until SIGTERM, SIGINT or [`Stopper::stop`], then drains: the readiness says no, after the drain delay
    /// nothing new is taken, what is in flight is finished, and the models are let go last.
    ///
    /// # Errors
    /// [`Error::Server`] when the machinery of the server fails.
    pub fn run(self) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::Server { reason: error.to_string() };
        let app = self.app.clone();
        let config = &app.config;
        let threads =
            if config.http_threads > 0 { config.http_threads } else { crate::config::threads(0).min(HTTP_THREADS) };
        // Dropped at the end, which stops the looking. A load that is on its way then is not waited for.
        let _looking = watch_store(&app)?;
        rt::System::new().block_on(async {
            let app = self.app.clone();
            let server = HttpServer::new(move || {
                actix_web::App::new()
                    .app_data(app.clone())
                    .wrap(from_fn(observe))
                    .wrap(Compress::default())
                    .configure(configure)
            })
            .workers(threads)
            .keep_alive(Duration::from_millis(config.keep_alive_ms))
            // A client that has left must not be worked for; with half-closed connections its handler would run on.
            .h1_allow_half_closed(false)
            .disable_signals()
            .shutdown_timeout(config.drain_timeout_ms.div_ceil(1000))
            .listen(self.listener)
            .map_err(failed)?
            .run();
            rt::spawn(end(server.handle(), self.app.clone(), self.stop.subscribe()));
            tracing::info!("listening on http://{}", self.addr);
            server.await.map_err(failed)
        })?;
        app.engine.finish();
        tracing::info!("stopped");
        Ok(())
    }
}

/// Starts the thread that looks at the store, if one is wanted. It ends when the sender is dropped.
fn watch_store(app: &Data<App>) -> Result<Option<Sender<()>>, Error> {
    let every = Duration::from_millis(app.config.poll_ms);
    if every.is_zero() {
        return Ok(None);
    }
    let (sender, stop) = channel();
    let app = app.clone();
    let look = move || app.engine.poll(every, &stop);
    let spawned = std::thread::Builder::new().name("store".into()).spawn(look);
    spawned.map_err(|error| Error::Server { reason: format!("no thread to watch the store: {error}") })?;
    Ok(Some(sender))
}

/// Waits for the sign to stop and drains.
async fn end(server: ServerHandle, app: Data<App>, mut stop: watch::Receiver<bool>) {
    signalled(&mut stop).await;
    tracing::info!("shutting down: {} requests in flight", app.in_flight());
    app.enter(Phase::Leaving);
    rt::time::sleep(Duration::from_millis(app.config.drain_delay_ms)).await;
    server.pause().await;
    let deadline = Instant::now() + Duration::from_millis(app.config.drain_timeout_ms);
    while app.in_flight() > 0 && Instant::now() < deadline {
        rt::time::sleep(Duration::from_millis(5)).await;
    }
    app.enter(Phase::Stopping);
    server.stop(true).await;
}

#[cfg(unix)]
async fn signalled(stop: &mut watch::Receiver<bool>) {
    use actix_web::rt::signal::unix::{SignalKind, signal};
    use futures_util::future::{Either, select};
    use std::pin::pin;
    let stopped = pin!(stop.wait_for(|stop| *stop));
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            let signals = pin!(async {
                let (terminate, interrupt) = (pin!(terminate.recv()), pin!(interrupt.recv()));
                select(terminate, interrupt).await;
            });
            if let Either::Right(_) = select(stopped, signals).await {
                tracing::info!("signal received");
            }
        }
        _ => {
            tracing::warn!("signals cannot be caught; only a stop from inside ends the server in order");
            let _ = stopped.await;
        }
    }
}

#[cfg(not(unix))]
async fn signalled(stop: &mut watch::Receiver<bool>) {
    use futures_util::future::select;
    use std::pin::pin;
    let stopped = pin!(stop.wait_for(|stop| *stop));
    let interrupted = pin!(rt::signal::ctrl_c());
    select(stopped, interrupted).await;
}
