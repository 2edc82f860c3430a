//! What answers while the models are loaded at the start: the process is alive, and everything else has to be tried again.

use super::{refuse, server_health};
use crate::Error;
use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use rustls::ServerConfig;
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread::{Builder, JoinHandle};

/// A small server on a thread of its own. It ends, and cuts what is open, when this is dropped.
pub struct Starting {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Starting {
    /// Answers at an address until the real server does.
    ///
    /// # Errors
    /// [`Error::Server`] when the system gives no thread or does not let it listen.
    pub fn serve(listener: TcpListener, tls: Option<ServerConfig>) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::Server { reason: error.to_string() };
        let (sender, handle) = channel();
        let serve = move || {
            rt::System::new().block_on(async move {
                let app = || App::new().configure(server_health::live_alone).default_service(web::to(loading));
                let server = HttpServer::new(app).workers(1).keep_alive(KeepAlive::Disabled).disable_signals();
                let server = match tls {
                    Some(tls) => server.listen_rustls_0_23(listener, tls),
                    None => server.listen(listener),
                };
                let server = server.map(HttpServer::run);
                // Whoever waits for the handle does so until it comes.
                let _ = sender.send(server.as_ref().map(|server| server.handle()).map_err(|error| error.kind()));
                if let Ok(server) = server
                    && let Err(error) = server.await
                {
                    tracing::error!("what answers until the models are loaded has failed: {error}");
                }
            });
        };
        let thread = Some(Builder::new().name("starting".into()).spawn(serve).map_err(failed)?);
        let handle = handle.recv().map_err(|error| failed(std::io::Error::other(error)))?;
        Ok(Self { handle: handle.map_err(|kind| failed(kind.into()))?, thread })
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // It is told at once; the thread ends when that is done.
        drop(self.handle.stop(false));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("what answers until the models are loaded has panicked");
        }
    }
}

async fn loading(request: HttpRequest) -> HttpResponse {
    refuse(&request, Error::Starting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn ask(listener: &TcpListener, request: &str) -> String {
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.write_all(format!("{request} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_is_alive_not_ready_and_gone_when_it_is_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let starting = Starting::serve(listener.try_clone().unwrap(), None).unwrap();
        for (request, parts) in [
            ("GET /v2/health/live", &["HTTP/1.1 200", "{\"live\":true}"][..]),
            ("GET /v2/health/ready", &["HTTP/1.1 503", "retry-after: 1", "{\"error\":\"the models are being loaded"]),
            ("POST /v1/embeddings", &["HTTP/1.1 503", "retry-after: 1", "\"code\":\"model_loading\""]),
        ] {
            let answer = ask(&listener, request);
            assert!(parts.iter().all(|part| answer.contains(part)), "{request}: {answer}");
        }
        drop(starting);
        // Whoever comes now is for the next one that listens.
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        stream.write_all(b"a").unwrap();
        accepted.set_nonblocking(false).unwrap();
        assert_eq!(accepted.read(&mut [0]).unwrap(), 1);
    }
}
