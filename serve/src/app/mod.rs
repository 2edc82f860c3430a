//! What every handler shares, whether it speaks HTTP or gRPC: the models, the options, who may ask, how long it may wait.

mod access;
pub mod deadline;
#[cfg(test)]
mod example;
mod keys;
pub mod pace;
pub mod priority;
pub mod request_id;

pub use access::Access;

use crate::engine::{Engine, Served};
use crate::fetch::Fetcher;
use crate::gallery::Galleries;
use crate::metrics::{Metrics, Tracked};
use crate::trace::Tracer;
use crate::{Config, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;
use tracing::Span;

/// What every handler shares.
pub struct App {
    /// The models.
    pub engine: Engine,
    /// The files of vectors.
    pub galleries: Galleries,
    /// The metrics.
    pub metrics: Metrics,
    /// The options.
    pub config: Config,
    /// Who may ask for what.
    pub access: Access,
    /// What traces requests, if they are traced.
    pub tracer: Option<Tracer>,
    /// What fetches images, if the options name hosts.
    pub(crate) fetcher: Option<Fetcher>,
    phase: AtomicU8,
    in_flight: AtomicUsize,
}

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Phase {
    /// Everything is answered.
    Serving,
    /// Everything is answered, but the readiness says no, so that a load balancer looks away.
    Leaving,
    /// Inference that comes now is refused; what is in flight is finished.
    Stopping,
}

impl App {
    /// A server that serves.
    pub fn new(engine: Engine, galleries: Galleries, metrics: Metrics, config: Config, access: Access) -> Self {
        let phase = AtomicU8::new(Phase::Serving as u8);
        Self {
            engine,
            galleries,
            metrics,
            config,
            access,
            tracer: None,
            fetcher: None,
            phase,
            in_flight: AtomicUsize::new(0),
        }
    }

    /// The same server with what traces its requests.
    #[must_use]
    pub fn traced(self, tracer: Option<Tracer>) -> Self {
        Self { tracer, ..self }
    }

    /// The same server with what fetches images.
    #[must_use]
    pub(crate) fn fetching(self, fetcher: Option<Fetcher>) -> Self {
        Self { fetcher, ..self }
    }

    /// Where the server is in its life.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Serving,
            1 => Phase::Leaving,
            _ => Phase::Stopping,
        }
    }

    /// Goes on in life; never back.
    pub fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::SeqCst);
    }

    /// Whether every model is served that counts and the server is not about to leave.
    pub fn is_ready(&self) -> bool {
        self.phase() == Phase::Serving && self.engine.is_ready()
    }

    /// Whether a request with this `Authorization` may load and unload models and change what is logged and traced.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the administration is off or the key is for something else, [`Error::Unauthorized`] without a
    /// key that is known.
    pub fn administration(&self, authorization: Option<&str>) -> Result<(), Error> {
        self.access.administration(authorization)?;
        if self.config.admin {
            return Ok(());
        }
        let reason = "the administration is off; start the server with --admin to load and unload models and to change log and traces".into();
        Err(Error::Forbidden { reason })
    }

    /// The model that answers a request of `api`, and what counts the request. From here on every line of the log about it names them.
    ///
    /// # Errors
    /// That nothing answers, which is counted too.
    pub fn track(&self, found: Result<Arc<Served>, Error>, api: &'static str) -> Result<(Arc<Served>, Tracked), Error> {
        let served = self.counted(api, found)?;
        Span::current().record("model", served.name.as_str()).record("version", served.version);
        let tracked = served.metrics.track(api);
        Ok((served, tracked))
    }

    /// Counts a request of `api` that is refused before a model gets it.
    ///
    /// # Errors
    /// That of the result.
    pub fn counted<T>(&self, api: &'static str, result: Result<T, Error>) -> Result<T, Error> {
        result.inspect_err(|error| self.metrics.unserved(api, error))
    }

    /// Whether a request that took so long is told to the operator.
    pub fn is_slow(&self, took: Duration) -> bool {
        let limit_ms = self.config.slow_request_ms;
        limit_ms > 0 && took >= Duration::from_millis(limit_ms)
    }

    /// Requests that have been received and not answered.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn enter_flight(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.metrics.in_flight.inc();
        InFlight(self)
    }
}

/// One request in flight.
pub struct InFlight<'a>(&'a App);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.0.metrics.in_flight.dec();
    }
}
