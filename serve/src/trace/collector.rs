//! Where a collector is and how it is spoken to: by gRPC at an address alone, by HTTP where the address has a path.

use super::exporter::TIMEOUT;
use super::proto::trace_service_client::TraceServiceClient;
use super::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use crate::Error;
use crate::client::{self, Address, Budget};
use actix_web::web::Bytes;
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use prost::Message;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

/// Most bytes of an answer: it holds a number and a sentence.
const LARGEST_ANSWER: usize = 64 << 10;

/// A collector.
#[derive(Clone, Debug)]
pub enum Collector {
    /// By gRPC.
    Grpc(Box<Endpoint>),
    /// By HTTP, with its whole address.
    Http(Address, String),
}

/// What sends to a collector.
pub enum Client {
    Grpc(TraceServiceClient<Channel>),
    Http(Address),
}

impl Collector {
    /// The one at an address.
    ///
    /// # Errors
    /// [`Error::Option`] for something else than `http://HOST:PORT` or `http://HOST:PORT/PATH`.
    pub fn at(url: &str) -> Result<Self, Error> {
        let wrong = |hint: &str| {
            let reason = format!("is \"{url}\"; {hint}");
            Error::Option { option: "otlp_endpoint", reason }
        };
        let usual = "it must be the address of a collector as in http://localhost:4317";
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| wrong(&format!("{usual}: {error}")))?;
        let uri = endpoint.uri();
        match uri.scheme_str() {
            Some("http") if matches!(uri.path(), "" | "/") && uri.query().is_none() => {
                Ok(Self::Grpc(Box::new(endpoint.connect_timeout(TIMEOUT).timeout(TIMEOUT))))
            }
            Some("http") => {
                Address::of(uri, 80).map(|address| Self::Http(address, url.to_owned())).ok_or_else(|| wrong(usual))
            }
            Some("https") => Err(wrong("spans are sent unencrypted; name a collector near the server, by http")),
            _ => Err(wrong(usual)),
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        match self {
            Self::Grpc(endpoint) => endpoint.uri().to_string(),
            Self::Http(_, url) => url.clone(),
        }
    }

    /// What sends to it. By gRPC one connection is kept, which is made when it is needed.
    pub fn client(&self) -> Client {
        match self {
            Self::Grpc(endpoint) => Client::Grpc(TraceServiceClient::new(endpoint.connect_lazy())),
            Self::Http(address, _) => Client::Http(address.clone()),
        }
    }
}

impl Client {
    /// Sends a message.
    ///
    /// # Errors
    /// Why it was not taken, and what the collector must be.
    pub async fn export(&mut self, request: ExportTraceServiceRequest) -> Result<ExportTraceServiceResponse, String> {
        match self {
            Self::Grpc(client) => match client.export(request).await {
                Ok(response) => Ok(response.into_inner()),
                Err(status) => {
                    let cause = client::cause(&status);
                    Err(format!("{cause}; it must take OTLP over gRPC, which most do on port 4317"))
                }
            },
            Self::Http(address) => match post(address, request.encode_to_vec()).await {
                // Collectors that say nothing more have taken everything.
                Ok(body) => Ok(ExportTraceServiceResponse::decode(body).unwrap_or_default()),
                Err(reason) => {
                    Err(format!("{reason}; it must take OTLP over HTTP, which most do on port 4318 at /v1/traces"))
                }
            },
        }
    }
}

/// Sends a message by HTTP and gives the body of the answer.
async fn post(address: &Address, body: Vec<u8>) -> Result<Bytes, String> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let headers = [(CONTENT_TYPE, "application/x-protobuf")];
    let answer = client::ask(stream, Method::POST, address, &headers, body.into()).await?;
    match answer.status().as_u16() {
        200..=299 => client::body(answer, &Budget::new(LARGEST_ANSWER)).await,
        status => Err(format!("it answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_is_for_grpc_and_one_with_a_path_for_http() {
        for (url, is_grpc) in [
            ("http://localhost:4317", true),
            ("http://10.0.0.1:4317/", true),
            ("http://[::1]:4317", true),
            ("http://localhost:4318/v1/traces", false),
            ("http://tempo/otlp?team=a", false),
        ] {
            let collector = Collector::at(url).unwrap();
            assert_eq!(matches!(collector, Collector::Grpc(_)), is_grpc, "{url}");
            assert!(collector.url().starts_with(url), "{url}");
        }
        for (url, hint) in [
            ("", "as in http"),
            ("localhost:4317", "as in http"),
            ("grpc://localhost:4317", "as in http"),
            ("https://localhost:4317", "unencrypted"),
            ("https://localhost:4318/v1/traces", "unencrypted"),
            ("http://local host", "as in http"),
        ] {
            let message = Collector::at(url).unwrap_err().to_string();
            assert!(message.contains("otlp_endpoint") && message.contains(hint), "{url}: {message}");
        }
    }
}
