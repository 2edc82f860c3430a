//! The server's life: bind, load, serve, drain, end.

use crate::app::{App, Phase};
use crate::engine::Engine;
use crate::gallery::Galleries;
use crate::grpc;
use crate::http::{Starting, configure, keep, observe};
use crate::metrics::Metrics;
use crate::opened::Opened;
use crate::signals::{Impatience, asked_to_end, look_when_told};
use crate::tls::Tls;
use crate::trace::Tracer;
use crate::{Config, Error};
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{HttpServer, rt};
use futures_util::future::{Either, select};
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;

/// Most threads for HTTP by default: they only read, write and wait.
const HTTP_THREADS: usize = 4;

/// At the end, the time that connections have to close, even when all time to drain is over: actix looks at them every second.
const GRACE: Duration = Duration::from_millis(1500);

/// A server that has its address and its models and is not running yet.
pub struct Server {
    app: Data<App>,
    http: Listener,
    grpc: Option<Listener>,
    tls: Option<Tls>,
    stop: watch::Sender<bool>,
}

/// An address that is taken.
struct Listener {
    listener: TcpListener,
    addr: SocketAddr,
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
    /// Takes the addresses, then loads the models. While that goes on HTTP says that the process is alive and no more. Connections that come
    /// between that and [`Server::run`] wait, as those for gRPC do from the beginning.
    ///
    /// # Errors
    /// An option is wrong, the address is taken, or no model can be served.
    pub fn bind(config: Config) -> Result<Self, Error> {
        let Opened { access, tls, fetcher } = Opened::of(&config)?;
        let http = Listener::bind(config.host(), config.port)?;
        let grpc = config.grpc_port.map(|port| Listener::bind(config.host(), port)).transpose()?;
        let starting = Starting::serve(http.shared()?, tls.as_ref().map(Tls::http))?;
        let metrics = Metrics::new()?;
        let engine = Engine::open(&config, &metrics)?;
        let galleries = Galleries::open(&config, &engine)?;
        galleries.iter().for_each(|gallery| metrics.galleries.opened(&gallery.name, gallery.len()));
        let tracer = Tracer::open(&config, &metrics)?;
        let app = Data::new(App::new(engine, galleries, metrics, config, access).traced(tracer).fetching(fetcher));
        drop(starting);
        Ok(Self { app, http, grpc, tls, stop: watch::Sender::new(false) })
    }

    /// The address of HTTP, with the real port when 0 was asked for.
    pub fn addr(&self) -> SocketAddr {
        self.http.addr
    }

    /// The address of gRPC, if it was asked for.
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.grpc.as_ref().map(|grpc| grpc.addr)
    }

    /// The address of HTTP as clients write it.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.http.addr)
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
    /// nothing new is taken, what is in flight is finished, and the models are let go last. A signal meanwhile ends the process.
    ///
    /// # Errors
    /// [`Error::Server`] when the machinery of the server fails.
    pub fn run(self) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::Server { reason: error.to_string() };
        let url = self.url();
        let Self { app, http, grpc, tls, stop } = self;
        let config = &app.config;
        let threads = http_threads(config);
        let impatience = Impatience::new();
        // Dropped at the end, which stops the looking. A load that is on its way then is not waited for.
        let looking = watch_store(&app)?;
        let _mending = background(&app, "mend", |app, stop| app.engine.mend(stop))?;
        let grpc = grpc.map(|Listener { listener, addr }| {
            tracing::info!("listening for gRPC on {addr}");
            grpc::Running::start(app.clone().into_inner(), listener, tls.clone(), threads)
        });
        let grpc = grpc.transpose()?;
        rt::System::new().block_on(async {
            let shared = app.clone();
            let server = HttpServer::new(move || {
                actix_web::App::new()
                    .app_data(shared.clone())
                    .wrap(from_fn(keep))
                    .wrap(Compress::default())
                    .wrap(from_fn(observe))
                    .configure(configure)
            })
            .workers(threads)
            .keep_alive(Duration::from_millis(config.keep_alive_ms))
            // The end of an answer in parts must not wait for the client to confirm the beginning.
            .tcp_nodelay(true)
            // A client that has left must not be worked for; with half-closed connections its handler would run on.
            .h1_allow_half_closed(false)
            .disable_signals()
            .shutdown_timeout(config.drain_timeout_ms.div_ceil(1000));
            let server = match tls {
                Some(tls) => server.listen_rustls_0_23(http.listener, tls.http()),
                None => server.listen(http.listener),
            };
            let server = server.map_err(failed)?.run();
            rt::spawn(look_when_told(looking.clone()));
            let stop_grpc = grpc.as_ref().map(grpc::Running::stop);
            let ended = pin!(end(&impatience, server.handle(), stop_grpc, app.clone(), stop.subscribe()));
            tracing::info!("listening on {url}");
            match select(pin!(server), ended).await {
                Either::Left((served, _)) => served.map_err(failed),
                Either::Right((true, server)) => server.await.map_err(failed),
                Either::Right((false, _)) => {
                    tracing::warn!("connections are cut, on which something was in flight");
                    Ok(())
                }
            }
        })?;
        grpc.map_or(Ok(()), grpc::Running::join)?;
        app.engine.finish();
        if let Some(tracer) = &app.tracer {
            tracer.finish();
        }
        tracing::info!("stopped");
        Ok(())
    }
}

impl Listener {
    fn bind(host: &str, port: u16) -> Result<Self, Error> {
        let refused = |source: std::io::Error| {
            let hint = match source.kind() {
                std::io::ErrorKind::AddrInUse => "; another program has the port, choose another or 0 for a free one",
                std::io::ErrorKind::PermissionDenied => "; ports below 1024 are for root",
                _ => "",
            };
            Error::Bind { address: format!("{host}:{port}"), source, hint }
        };
        let listener = TcpListener::bind((host, port)).map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, addr })
    }

    /// Another hold of the same connections.
    fn shared(&self) -> Result<TcpListener, Error> {
        self.listener.try_clone().map_err(|error| Error::Server { reason: error.to_string() })
    }
}

/// Threads that read and write HTTP.
pub(crate) fn http_threads(config: &Config) -> usize {
    if config.http_threads > 0 { config.http_threads } else { crate::config::threads(0).min(HTTP_THREADS) }
}

/// Starts the thread that looks at the store, at its times and whenever it is told. It ends when the sender is dropped.
fn watch_store(app: &Data<App>) -> Result<Sender<()>, Error> {
    let every = Some(app.config.poll_ms).filter(|ms| *ms > 0).map_or(Duration::MAX, Duration::from_millis);
    background(app, "store", move |app, told| app.engine.poll(every, told))
}

/// Starts a thread for work beside the requests. It ends when the sender is dropped.
fn background(
    app: &Data<App>,
    name: &str,
    work: impl FnOnce(&App, &Receiver<()>) + Send + 'static,
) -> Result<Sender<()>, Error> {
    let (sender, stop) = channel();
    let app = app.clone();
    let spawned = std::thread::Builder::new().name(name.into()).spawn(move || work(&app, &stop));
    spawned.map_err(|error| Error::Server { reason: format!("no thread \"{name}\": {error}") })?;
    Ok(sender)
}

/// Waits for the sign to stop and drains. Says whether everything has ended in its time.
async fn end(
    impatience: &Impatience,
    server: ServerHandle,
    grpc: Option<watch::Sender<bool>>,
    app: Data<App>,
    mut stop: watch::Receiver<bool>,
) -> bool {
    asked_to_end(&mut stop).await;
    impatience.begin();
    tracing::info!("shutting down: {} requests in flight", app.in_flight());
    app.enter(Phase::Leaving);
    rt::time::sleep(Duration::from_millis(app.config.drain_delay_ms)).await;
    server.pause().await;
    if let Some(grpc) = grpc {
        grpc.send_replace(true);
    }
    let deadline = Instant::now() + Duration::from_millis(app.config.drain_timeout_ms);
    while app.in_flight() > 0 && Instant::now() < deadline {
        rt::time::sleep(Duration::from_millis(5)).await;
    }
    app.enter(Phase::Stopping);
    let rest = deadline.saturating_duration_since(Instant::now());
    timeout(rest.max(GRACE), server.stop(true)).await.is_ok()
}
