//! What signals do to a running server: SIGTERM and SIGINT end it in order, another of them ends the process at once, SIGHUP has it look at
//! the store.

use actix_web::rt;
use futures_util::future::{Either, select};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::unregister;
use signal_hook::{SigId, flag};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use tokio::sync::watch;

/// Lets SIGTERM and SIGINT do what they do to any process, once the server ends and as long as this lives.
pub struct Impatience {
    is_ending: Arc<AtomicBool>,
    handlers: Vec<SigId>,
}

impl Impatience {
    /// Nothing is different until the server ends.
    pub fn new() -> Self {
        let is_ending = Arc::new(AtomicBool::new(false));
        let handler = |signal| flag::register_conditional_default(signal, is_ending.clone()).ok();
        let handlers = [SIGTERM, SIGINT].into_iter().filter_map(handler).collect();
        Self { is_ending, handlers }
    }

    /// The server ends.
    pub fn begin(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
    }
}

impl Drop for Impatience {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            unregister(handler);
        }
    }
}

/// Waits for the sign to end: SIGTERM, SIGINT, or `stop`.
#[cfg(unix)]
pub async fn asked_to_end(stop: &mut watch::Receiver<bool>) {
    use rt::signal::unix::{SignalKind, signal};
    let stopped = pin!(stop.wait_for(|stop| *stop));
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            let signals = pin!(async {
                let (terminate, interrupt) = (pin!(terminate.recv()), pin!(interrupt.recv()));
                select(terminate, interrupt).await;
            });
            if let Either::Right(_) = select(stopped, signals).await {
                tracing::info!("signal received; another one ends the process at once");
            }
        }
        _ => {
            tracing::warn!("signals cannot be caught; only a stop from inside ends the server in order");
            let _ = stopped.await;
        }
    }
}

/// Waits for the sign to end: Ctrl-C, or `stop`.
#[cfg(not(unix))]
pub async fn asked_to_end(stop: &mut watch::Receiver<bool>) {
    let stopped = pin!(stop.wait_for(|stop| *stop));
    let interrupted = pin!(rt::signal::ctrl_c());
    select(stopped, interrupted).await;
}

/// Asks for a look at the store at every SIGHUP.
#[cfg(unix)]
pub async fn look_when_told(look: Sender<()>) {
    use rt::signal::unix::{SignalKind, signal};
    match signal(SignalKind::hangup()) {
        Ok(mut hangup) => {
            while hangup.recv().await.is_some() {
                tracing::info!("SIGHUP received; what has changed in the store is loaded");
                // An error says that the server is gone.
                let _ = look.send(());
            }
        }
        Err(error) => tracing::warn!("SIGHUP cannot be caught, and ends the server: {error}"),
    }
}

/// Nothing asks for a look at the store here.
#[cfg(not(unix))]
pub async fn look_when_told(_: Sender<()>) {}
