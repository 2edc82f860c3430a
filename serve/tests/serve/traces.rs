use super::client::*;
use super::collector::{Collector, Foreign};
use super::grpc::{Caller, caller, grpc_config, images};
use super::network::{Network, store};
use super::pictures::*;
use super::python::run;
use futures_util::stream;
use selfie_serve::Config;
use selfie_serve::grpc::proto::inference::ModelInferRequest;
use selfie_serve::trace::proto::Span;
use selfie_serve::trace::proto::any_value::Value as Attribute;
use selfie_serve::trace::proto::span::SpanKind;
use selfie_serve::trace::proto::status::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tonic::Request;

const PARENT: &str = "b7ad6b7169203331";

fn trace(number: u8) -> String {
    format!("0af7651916cd43dd8448eb211c8031{number:02x}")
}

/// A `traceparent` of a caller that samples its trace or does not.
fn parent(number: u8, is_sampled: bool) -> String {
    format!("00-{}-{PARENT}-0{}", trace(number), u8::from(is_sampled))
}

fn stop(server: Running) -> Duration {
    let start = Instant::now();
    server.stopper.stop();
    server.join().unwrap();
    start.elapsed()
}

/// Embeds an image within a trace.
fn embed_in(server: &Running, number: u8) {
    let request = server.post("/v1/embeddings").header("traceparent", parent(number, true));
    assert_eq!(request.json(&json!({"input": base64(&png(u32::from(number)))})).send().unwrap().status(), 200);
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Attribute> {
    span.attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()
}

fn status(span: &Span) -> StatusCode {
    span.status.as_ref().map_or(StatusCode::Unset, |status| status.code())
}

#[test]
fn a_collector_of_others_gets_whole_traces() {
    if let Some(collector) = Foreign::start("grpc") {
        gets_whole_traces(collector);
    }
}

#[test]
fn a_collector_of_others_gets_whole_traces_over_http() {
    if let Some(collector) = Foreign::start("http") {
        gets_whole_traces(collector);
    }
}

#[test]
fn a_traced_request_is_the_exemplar_of_its_bucket() {
    let collector = Collector::start();
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { otlp_endpoint: Some(collector.url.clone()), trace_ratio: 0.0, ..config(store.path()) });
    embed_in(&server, 7);
    run("check_metrics.py", &[&server.url], &json!(trace(7)));
    stop(server);
}

fn gets_whole_traces(collector: Foreign) {
    let store = store(&[("net", Network::default())]);
    // Of those that begin here none, so that it is the callers who decide.
    let config = Config { otlp_endpoint: Some(collector.url.clone()), trace_ratio: 0.0, ..grpc_config(store.path()) };
    let server = serve(config);
    let embed = |number, is_sampled| {
        let request = server.post("/v1/embeddings").header("traceparent", parent(number, is_sampled));
        let request =
            request.header("tracestate", "shop=7").header("tracestate", "other=x").header("x-request-id", "shop-7");
        let request =
            request.header("user-agent", "shop/1").json(&json!({"input": [base64(&png(1)), base64(&jpeg(2))]}));
        assert_eq!(request.send().unwrap().status(), 200);
    };
    embed(1, true);
    embed(2, false);
    server.embed(&json!({"input": base64(&png(1))}));
    let bad = server.post("/v1/classify").header("traceparent", parent(3, true));
    assert_eq!(bad.json(&json!({"input": "bm90aGluZw=="})).send().unwrap().status(), 400);
    let mut caller = caller(&server);
    for (number, model) in [(4, "net"), (5, "nobody")] {
        let mut request = Request::new(ModelInferRequest { model_name: model.into(), ..images(&[png(1)]) });
        request.metadata_mut().insert("traceparent", parent(number, true).parse().unwrap());
        assert_eq!(caller.infer(request).is_ok(), model == "net");
    }
    drop(caller);
    assert_eq!(server.metric("selfie_spans_dropped_total"), 0.0);
    stop(server);
    let spans = collector.spans();

    let of = |number: u8| spans.iter().filter(|span| span["trace"] == trace(number)).collect::<Vec<_>>();
    let named = |number: u8, name: &str| of(number).into_iter().filter(|span| span["name"] == name).collect::<Vec<_>>();
    let asked = named(1, "POST /v1/embeddings")[0];
    let place = ["kind", "parent", "state", "flags", "status"].map(|key| asked[key].clone());
    assert_eq!(json!(place), json!(["SPAN_KIND_SERVER", PARENT, "shop=7,other=x", 0x301, "STATUS_CODE_UNSET"]));
    let expected = json!({
        "http.request.method": "POST",
        "http.route": "/v1/embeddings",
        "http.response.status_code": 200,
        "url.path": "/v1/embeddings",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "user_agent.original": "shop/1",
        "selfie.request_id": "shop-7",
    });
    assert_eq!(asked["attributes"], expected);
    assert_eq!(asked["resource"]["service.name"], "selfie");

    let children: Vec<&Value> = of(1).into_iter().filter(|span| span["span"] != asked["span"]).collect();
    for child in &children {
        assert_eq!((&child["parent"], &child["kind"]), (&asked["span"], &json!("SPAN_KIND_INTERNAL")));
        assert_eq!((&child["flags"], &child["state"]), (&json!(0x101), &asked["state"]), "{child}");
        let time = |span: &Value, key: &str| span[key].as_u64().unwrap();
        let ordered = [time(asked, "start"), time(child, "start"), time(child, "end"), time(asked, "end")];
        assert!(ordered.is_sorted(), "{child} is not within {asked}");
    }
    let items: BTreeSet<u64> =
        named(1, "decode").iter().map(|span| span["attributes"]["selfie.item"].as_u64().unwrap()).collect();
    assert_eq!((items, named(1, "queue").len()), (BTreeSet::from([0, 1]), 2));
    let ran = named(1, "infer");
    assert_eq!(ran.iter().map(|span| span["attributes"]["selfie.items"].as_u64().unwrap()).sum::<u64>(), 2);
    assert_eq!(children.len(), 4 + ran.len());
    for infer in ran {
        let batch = spans.iter().find(|span| span["trace"] == infer["links"][0][0]).unwrap();
        assert_eq!(
            (&batch["name"], &batch["span"], &batch["parent"]),
            (&json!("batch"), &infer["links"][0][1], &json!(""))
        );
        assert_eq!(batch["links"], json!([[trace(1), asked["span"], "shop=7,other=x", 0x101]]));
        assert_eq!(
            batch["attributes"],
            json!({
                "selfie.model": "net", "selfie.model_version": "1", "selfie.batch_size": infer["attributes"]["selfie.items"],
            })
        );
    }

    assert!(of(2).is_empty(), "its caller does not sample it");
    let known: BTreeSet<String> = [1, 3, 4, 5].map(trace).into();
    let strangers =
        spans.iter().filter(|span| span["name"] != "batch" && !known.contains(span["trace"].as_str().unwrap()));
    assert_eq!(strangers.count(), 0, "nobody asked for other traces");

    let refused = named(3, "POST /v1/classify")[0];
    assert_eq!(refused["attributes"]["http.response.status_code"], 400);
    assert_eq!(refused["status"], "STATUS_CODE_UNSET", "the client's fault");
    let undecoded = named(3, "decode")[0];
    assert_eq!(
        (&undecoded["status"], &undecoded["attributes"]["error.type"]),
        (&json!("STATUS_CODE_ERROR"), &json!("invalid"))
    );
    for (number, code) in [(4, "OK"), (5, "NOT_FOUND")] {
        let call = named(number, "inference.GRPCInferenceService/ModelInfer")[0];
        let attributes = &call["attributes"];
        assert_eq!(
            (&attributes["rpc.system.name"], &attributes["rpc.response.status_code"]),
            (&json!("grpc"), &json!(code))
        );
        assert_eq!((&attributes["rpc.method"], &call["parent"]), (&call["name"], &json!(PARENT)));
        assert_eq!((&call["kind"], &call["status"]), (&json!("SPAN_KIND_SERVER"), &json!("STATUS_CODE_UNSET")));
    }
    assert_eq!(of(4).len(), 4, "call, decode, queue, infer");
}

#[test]
fn a_batch_is_linked_to_every_request_in_it() {
    let collector = Collector::start();
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { otlp_endpoint: Some(collector.url.clone()), trace_ratio: 0.0, ..config(store.path()) });
    let taken = "selfie_stage_duration_seconds_count{model=\"net\",stage=\"queue\",version=\"1\"}";
    // What comes while the runtime is busy runs together. Where the machine is busier than the runtime it comes too late.
    for pair in [[1, 2], [3, 4], [5, 6]] {
        let before = server.metric(taken);
        std::thread::scope(|scope| {
            let server = &server;
            scope.spawn(move || server.embed(&json!({"input": base64(&png(0))})));
            let start = Instant::now();
            while server.metric(taken) == before {
                assert!(start.elapsed() < Duration::from_secs(30), "the runtime takes nothing");
            }
            for number in pair {
                scope.spawn(move || embed_in(server, number));
            }
        });
    }
    stop(server);
    let spans = collector.spans();
    let batches: Vec<&Span> = spans.iter().filter(|span| span.name == "batch").collect();
    assert_eq!(
        batches.iter().map(|batch| batch.links.len()).sum::<usize>(),
        6,
        "of every traced request, and no other"
    );
    let batch = batches.iter().find(|batch| batch.links.len() == 2).expect("not once two requests ran together");
    assert_eq!(attribute(batch, "selfie.batch_size"), Some(&Attribute::IntValue(2)));
    assert!(batch.parent_span_id.is_empty());
    for link in &batch.links {
        let of = |name: &str| spans.iter().find(|span| span.trace_id == link.trace_id && span.name == name).unwrap();
        assert_eq!(of("POST /v1/embeddings").span_id, link.span_id);
        let infer = of("infer");
        assert_eq!((infer.links.len(), &infer.links[0].span_id), (1, &batch.span_id));
        assert_eq!((&infer.links[0].trace_id, &infer.parent_span_id), (&batch.trace_id, &link.span_id));
    }
}

#[test]
fn every_request_of_a_stream_is_a_span() {
    let collector = Collector::start();
    let store = store(&[("net", Network::default())]);
    let server =
        serve(Config { otlp_endpoint: Some(collector.url.clone()), trace_ratio: 0.0, ..grpc_config(store.path()) });
    let Caller { runtime, mut client, .. } = caller(&server);
    runtime.block_on(async {
        let mut request = Request::new(stream::iter([images(&[png(1)]), images(&[b"nothing".to_vec()])]));
        request.metadata_mut().insert("traceparent", parent(1, true).parse().unwrap());
        let mut answers = client.model_stream_infer(request).await.unwrap().into_inner();
        while answers.message().await.unwrap().is_some() {}
    });
    drop((client, runtime));
    stop(server);
    let spans = collector.spans();
    let call = spans.iter().find(|span| span.kind() == SpanKind::Server).unwrap();
    assert_eq!(call.name, "inference.GRPCInferenceService/ModelStreamInfer");
    let asked: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == call.span_id).collect();
    let codes: BTreeSet<String> = asked
        .iter()
        .map(|span| match attribute(span, "rpc.response.status_code") {
            Some(Attribute::StringValue(code)) => code.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((asked.len(), codes), (2, ["OK", "INVALID_ARGUMENT"].map(str::to_owned).into()));
    for span in asked {
        assert!(spans.iter().any(|child| child.parent_span_id == span.span_id && child.name == "decode"));
    }
}

#[test]
fn a_client_that_leaves_ends_its_span() {
    let collector = Collector::start();
    let store = store(&[("net", Network::slow())]);
    let server =
        serve(Config { otlp_endpoint: Some(collector.url.clone()), max_batch_size: 1, ..config(store.path()) });
    let many: Vec<String> = (0..8).map(|seed| base64(&png(seed))).collect();
    let request = server.post("/v1/embeddings").timeout(Duration::from_millis(200)).json(&json!({"input": many}));
    assert!(request.send().is_err(), "it takes longer");
    let line = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"canceled\",version=\"1\"}";
    let start = Instant::now();
    while server.metric(line) != 1.0 {
        assert!(start.elapsed() < Duration::from_secs(30), "the server does not notice");
    }
    stop(server);
    let spans = collector.spans();
    let left = spans.iter().find(|span| span.name == "POST /v1/embeddings").unwrap();
    assert_eq!((status(left), left.parent_span_id.len()), (StatusCode::Error, 0));
    assert_eq!(attribute(left, "error.type"), Some(&Attribute::StringValue("canceled".into())));
    let probes = spans.iter().filter(|span| span.name == "GET /metrics" && status(span) == StatusCode::Unset);
    assert!(probes.count() > 0, "without a parent the share decides, which is all");
}

#[test]
fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let store = store(&[("net", Network::default())]);
    // An address that nobody has any more.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for path in ["", "/v1/traces"] {
        let server = serve(Config { otlp_endpoint: Some(format!("http://{address}{path}")), ..config(store.path()) });
        let start = Instant::now();
        while server.metric("selfie_spans_dropped_total") < 5.0 {
            embed_in(&server, 1);
            assert!(start.elapsed() < PATIENCE, "nothing is counted as lost");
        }
        assert_eq!(server.metric("selfie_spans_sent_total"), 0.0);
        embed_in(&server, 2);
        assert!(stop(server) < Duration::from_secs(3));
    }
}

#[test]
fn a_collector_that_hangs_holds_up_neither_a_request_nor_for_long_the_end() {
    let store = store(&[("net", Network::default())]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
    let server = serve(Config { otlp_endpoint: endpoint, ..config(store.path()) });
    let start = Instant::now();
    embed_in(&server, 1);
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(stop(server) < Duration::from_secs(8));
}

/// What is logged by all servers of this process.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_has_the_trace_beside_the_request() {
    tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).init();
    let store = store(&[("net", Network::default())]);
    let collector = Collector::start();
    let traced = Config { otlp_endpoint: Some(collector.url.clone()), log_requests: true, ..grpc_config(store.path()) };
    let plain = Config { otlp_endpoint: None, ..traced.clone() };
    let ask = |config: Config, id: &str, is_sampled: bool| {
        let server = serve(config);
        let request = server.get("/v2").header("x-request-id", id).header("traceparent", parent(1, is_sampled));
        assert_eq!(request.send().unwrap().status(), 200);
        let mut request = Request::new(images(&[png(1)]));
        request.metadata_mut().insert("x-request-id", format!("{id}-grpc").parse().unwrap());
        request.metadata_mut().insert("traceparent", parent(1, is_sampled).parse().unwrap());
        caller(&server).infer(request).unwrap();
        stop(server);
    };
    ask(traced.clone(), "sampled", true);
    ask(traced, "unsampled", false);
    ask(plain, "plain", true);
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    for (id, has_trace) in [("sampled", true), ("unsampled", true), ("plain", false)] {
        for id in [id.to_owned(), format!("{id}-grpc")] {
            let beside = format!("id=\"{id}\" trace_id={}", trace(1));
            let line =
                log.lines().find(|line| line.contains(&format!("id=\"{id}\""))).unwrap_or_else(|| panic!("no {id}"));
            assert_eq!(line.contains(&beside), has_trace, "{line}");
        }
    }
}
