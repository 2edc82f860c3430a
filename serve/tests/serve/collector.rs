//! Collectors of spans: one in this process, and one that reads them by OpenTelemetry's own messages.

use super::python::python;
use selfie_serve::trace::proto::trace_service_server::{TraceService, TraceServiceServer};
use selfie_serve::trace::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse, Span};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A collector in this process.
pub struct Collector {
    pub url: String,
    sink: Sink,
    _runtime: Runtime,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let parts = request.into_inner().resource_spans.into_iter().flat_map(|part| part.scope_spans);
        self.0.lock().unwrap().extend(parts.flat_map(|part| part.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    pub fn start() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sink = Sink::default();
        let service = TraceServiceServer::new(sink.clone());
        let serving = Server::builder().serve_with_incoming_shutdown(
            service,
            TcpIncoming::from(listener),
            std::future::pending::<()>(),
        );
        runtime.spawn(serving);
        Self { url, sink, _runtime: runtime }
    }

    /// What has come so far.
    pub fn spans(&self) -> Vec<Span> {
        self.sink.0.lock().unwrap().clone()
    }
}

/// A collector by others.
pub struct Foreign {
    pub url: String,
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Foreign {
    /// One that is spoken to by `protocol`. None when there is no Python for it.
    pub fn start(protocol: &str) -> Option<Self> {
        let mut child =
            python("collect_spans.py")?.arg(protocol).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        output.read_line(&mut url).unwrap();
        Some(Self { url: url.trim().to_owned(), child, output })
    }

    /// Everything that has come, at the end.
    pub fn spans(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        let spans = self.output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        assert!(self.child.wait().unwrap().success());
        spans
    }
}
