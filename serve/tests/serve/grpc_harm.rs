use super::client::*;
use super::grpc::*;
use super::network::{Network, store};
use super::pictures::*;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use selfie_serve::Config;
use selfie_serve::grpc::proto::health::HealthCheckRequest;
use selfie_serve::grpc::proto::health::health_client::HealthClient;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::{Code, Status};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NO_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// Kinds of frames: RFC 9113, section 6.
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;

/// A connection on which something has been said.
fn say(server: &Running, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.grpc_addr.unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// All that the server says until it closes the connection.
#[track_caller]
fn heard(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the connection stays open: {error}");
    }
    bytes
}

/// The kind of each frame and the stream that it belongs to.
fn frames(mut bytes: &[u8]) -> Vec<(u8, u32)> {
    let mut frames = Vec::new();
    while let Some(([a, b, c, kind, _, stream @ ..], rest)) = bytes.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        frames.push((*kind, u32::from_be_bytes(*stream)));
        bytes = &rest[length.min(rest.len())..];
    }
    frames
}

/// A frame of which more may be announced than comes.
fn frame(kind: u8, flags: u8, stream: u8, announced: usize, payload: &[u8]) -> Vec<u8> {
    let [.., a, b, c] = announced.to_be_bytes();
    [&[a, b, c, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A connection for calls by hand, and its end.
async fn connect(server: &Running) -> (SendRequest<Body>, JoinHandle<hyper::Result<()>>) {
    let stream = tokio::net::TcpStream::connect(server.grpc_addr.unwrap()).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (sender, tokio::spawn(connection))
}

/// The status of a call whose body is these parts.
async fn call(sender: &SendRequest<Body>, method: &str, parts: impl Stream<Item = Vec<u8>> + Send + 'static) -> Status {
    let parts = parts.map(|part| Ok::<_, Status>(Frame::data(Bytes::from(part))));
    let request = Request::post(format!("http://x/inference.GRPCInferenceService/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(StreamBody::new(parts)))
        .unwrap();
    let response = sender.clone().send_request(request);
    timeout(PATIENCE, async { status(response.await.unwrap()).await }).await.expect("the call does not end")
}

/// The status of an answer, which stands in its headers when there is nothing else.
async fn status(response: Response<Incoming>) -> Status {
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let rest = response.into_body().collect().await.unwrap();
    Status::from_header_map(rest.trailers().expect("there are no trailers")).unwrap()
}

/// A message, of which less may come than announced.
fn message(announced: u32, bytes: &[u8]) -> Vec<u8> {
    [&[0], announced.to_be_bytes().as_slice(), bytes].concat()
}

#[test]
fn a_connection_without_a_preface_is_closed_and_others_are_served() {
    let store = store(&[("net", Network::default())]);
    let server = serve(grpc_config(store.path()));
    let start = Instant::now();
    let silent = [&[][..], &PREFACE[..12]].map(|bytes| say(&server, bytes));
    assert!(caller(&server).infer(images(&[png(1)])).is_ok());
    for stream in silent {
        assert!(heard(stream).is_empty());
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(5), "{took:?}");
}

#[test]
fn an_idle_connection_is_closed_with_a_farewell_and_its_client_comes_again() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { keep_alive_ms: 1000, ..grpc_config(store.path()) });
    let mut caller = caller(&server);
    assert!(caller.infer(images(&[png(1)])).is_ok());
    // One that answers nothing, not even a PING.
    let deaf = say(&server, &[PREFACE, NO_SETTINGS].concat());
    let (ended, took) = caller.runtime.block_on(async {
        let (sender, connection) = connect(&server).await;
        let status = call(&sender, "ServerLive", stream::iter([message(0, b"")])).await;
        assert_eq!(status.code(), Code::Ok, "{status:?}");
        let start = Instant::now();
        let ended = timeout(PATIENCE, connection).await.expect("an idle connection stays open");
        drop(sender);
        (ended.unwrap(), start.elapsed())
    });
    assert!(ended.is_ok(), "{ended:?}");
    assert!(took >= Duration::from_millis(900), "{took:?}");
    let frames = frames(&heard(deaf));
    assert!(frames.contains(&(GOAWAY, 0)), "{frames:?}");
    let answer = caller.infer(images(&[png(1)]));
    assert!(answer.is_ok(), "{answer:?}");
}

#[test]
fn a_stream_may_pause_between_its_messages_for_as_long_as_it_likes() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { keep_alive_ms: 1000, body_timeout_ms: 500, ..grpc_config(store.path()) });
    let Caller { runtime, mut client, channel } = caller(&server);
    runtime.block_on(async {
        let request = HealthCheckRequest { service: String::new() };
        let mut health = HealthClient::new(channel).watch(request).await.unwrap().into_inner();
        assert!(health.message().await.unwrap().is_some());
        let (sender, mut receiver) = mpsc::channel(1);
        let requests = stream::poll_fn(move |context| receiver.poll_recv(context));
        sender.send(images(&[png(1)])).await.unwrap();
        let mut answers = client.model_stream_infer(requests).await.unwrap().into_inner();
        assert_eq!(answers.message().await.unwrap().unwrap().error_message, "");
        // When it is closed, both limits are over.
        let (_idle, closed) = connect(&server).await;
        let closed = timeout(PATIENCE, closed).await.expect("an idle connection stays open").unwrap();
        assert!(closed.is_ok(), "{closed:?}");
        sender.send(images(&[png(2)])).await.unwrap();
        assert_eq!(answers.message().await.unwrap().unwrap().error_message, "", "the stream goes on");
        drop(sender);
        assert!(answers.message().await.unwrap().is_none(), "the stream ends with its requests");
        let news = timeout(Duration::from_millis(50), health.message()).await;
        assert!(news.is_err(), "the watch has ended: {news:?}");
    });
}

#[test]
fn a_call_whose_body_stops_coming_ends_with_a_status_and_others_go_on() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { body_timeout_ms: 300, ..grpc_config(store.path()) });
    let Caller { runtime, .. } = caller(&server);
    runtime.block_on(async {
        let (sender, _connection) = connect(&server).await;
        let cases = [
            ("nothing", "ModelInfer", vec![]),
            ("half of a prefix", "ModelInfer", vec![0, 0]),
            ("half of a message", "ModelInfer", message(30_000_000, &[1; 1000])),
            ("a message without its end", "ServerLive", message(0, b"")),
            ("half of a prefix in a stream", "ModelStreamInfer", vec![0, 0]),
            ("half of a message in a stream", "ModelStreamInfer", message(30_000_000, &[1; 1000])),
        ];
        for (what, method, part) in cases {
            let status = call(&sender, method, stream::iter([part]).chain(stream::pending())).await;
            assert_eq!(status.code(), Code::DeadlineExceeded, "{what}: {status:?}");
            assert_eq!(status.message(), "nothing of the request body came for 300 ms", "{what}");
        }
        let status = call(&sender, "ServerLive", stream::iter([message(0, b"")])).await;
        assert_eq!(status.code(), Code::Ok, "{status:?}");
    });
    let line = "selfie_grpc_requests_total{code=\"DeadlineExceeded\",method=\"ModelInfer\"}";
    assert_eq!(server.metric(line), 3.0);
}

#[test]
fn a_call_whose_body_comes_by_drops_ends_with_a_status() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { body_timeout_ms: 300, ..grpc_config(store.path()) });
    let Caller { runtime, .. } = caller(&server);
    runtime.block_on(async {
        let (sender, _connection) = connect(&server).await;
        for method in ["ModelInfer", "ModelStreamInfer"] {
            // Something comes ten times as often as it must.
            let drops = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(30)).await;
                Some((vec![0], ()))
            });
            let start = Instant::now();
            let status = call(&sender, method, stream::iter([message(99_999, b"")]).chain(drops)).await;
            let took = start.elapsed();
            assert_eq!(status.code(), Code::DeadlineExceeded, "{method}: {status:?}");
            assert_eq!(status.message(), "the request body comes slower than 8192 bytes a second", "{method}");
            assert!(took >= Duration::from_millis(590), "{method}: {took:?}");
        }
    });
}

#[test]
fn half_of_a_frame_is_waited_for_no_longer_than_a_body() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { keep_alive_ms: 1000, body_timeout_ms: 500, ..grpc_config(store.path()) });
    let path = b"/inference.GRPCInferenceService/ModelInfer";
    // RFC 7541: POST and http are in its table, and so are the names of the path, the authority and the type of the content.
    let path = [&[0x83, 0x86, 0x04, path.len() as u8], path.as_slice()].concat();
    let head = [path.as_slice(), b"\x01\x01x\x0f\x10\x10application/grpc"].concat();
    let head = frame(HEADERS, 4, 1, head.len(), &head);
    let half = frame(0, 0, 1, 16_000, &message(30_000_000, &[1; 100]));
    let answer = heard(say(&server, &[PREFACE, NO_SETTINGS, &head, &half].concat()));
    let frames = frames(&answer);
    assert!(frames.contains(&(HEADERS, 1)), "the call is not answered: {frames:?}");
    assert!(frames.contains(&(GOAWAY, 0)), "{frames:?}");
    let line = "selfie_grpc_requests_total{code=\"DeadlineExceeded\",method=\"ModelInfer\"}";
    assert_eq!(server.metric(line), 1.0);
    assert!(caller(&server).infer(images(&[png(1)])).is_ok());
}
