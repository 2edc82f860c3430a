use super::client::*;
use super::grpc::*;
use super::leaving::CANCELED;
use super::life::DRAIN_MS;
use super::network::{Network, store};
use super::pictures::*;
use super::waiting::{CROWD, DONE, while_busy};
use futures_util::{StreamExt, stream};
use selfie_serve::Config;
use selfie_serve::grpc::proto::health::health_check_response::ServingStatus;
use selfie_serve::grpc::proto::health::health_client::HealthClient;
use selfie_serve::grpc::proto::health::{HealthCheckRequest, HealthCheckResponse};
use selfie_serve::grpc::proto::inference::ModelInferRequest;
use selfie_serve::grpc::proto::inference::infer_parameter::ParameterChoice;
use std::time::{Duration, Instant};
use tonic::{Code, Request, Streaming};

fn slow(store: &std::path::Path) -> Config {
    Config { max_batch_size: 1, ..grpc_config(store) }
}

fn patient_for(timeout_us: i64, priority: i64) -> ModelInferRequest {
    image_for(&png(9), timeout_us, priority)
}

fn image_for(image: &[u8], timeout_us: i64, priority: i64) -> ModelInferRequest {
    let parameters = [("timeout", timeout_us), ("priority", priority)];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), parameter(ParameterChoice::Int64Param(value))));
    ModelInferRequest { parameters: parameters.into(), ..images(&[image.to_vec()]) }
}

#[test]
fn a_call_that_waited_as_long_as_it_may_is_told_so() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(slow(store.path()));
    let mut caller = caller(&server);
    // No machine decodes it in a millisecond, so it is late however idle the runtime is.
    let large = encode(&picture(9, 2500, 2000), image::ImageFormat::Png);
    let status = caller.infer(image_for(&large, 1000, 0)).unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    while_busy(&server, || {
        // What would be late behind the image that runs is refused at once, and what would be late behind the crowd.
        let status = caller.infer(patient_for(1, 1)).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        for deadline in ["x-max-wait-ms", "grpc-timeout"] {
            let mut request = Request::new(images(&[png(9)]));
            // Less than the crowd takes, and time enough for the refusal: the client gives up after it as well.
            let value = if deadline == "grpc-timeout" { "2S" } else { "1" };
            request.metadata_mut().insert(deadline, value.parse().unwrap());
            let status = caller.infer(request).unwrap_err();
            assert_eq!(status.code(), Code::ResourceExhausted, "{deadline}: {status:?}");
            let pushback: u64 =
                status.metadata().get("grpc-retry-pushback-ms").unwrap().to_str().unwrap().parse().unwrap();
            assert!(pushback >= 1000, "{pushback}");
        }
    });
    assert!(caller.infer(patient_for(60_000_000, 0)).is_ok());
}

#[test]
fn a_client_that_leaves_is_not_worked_for() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(slow(store.path()));
    let Caller { runtime, mut client, .. } = caller(&server);
    let many: Vec<Vec<u8>> = (0..CROWD).map(png).collect();
    let call = runtime.spawn(async move { client.model_infer(images(&many)).await });
    wait_until("nothing of the call runs", || server.metric(DONE) > 0.0);
    call.abort();
    let all = f64::from(CROWD);
    wait_until("items are lost", || server.metric(CANCELED) + server.metric(DONE) == all);
    let skipped = server.metric(CANCELED);
    assert!(skipped >= all / 2.0, "{skipped} of {all} items were skipped");
}

#[test]
fn a_stream_answers_in_order_and_outlives_an_error() {
    let store = store(&[("net", Network::default())]);
    let server = serve(grpc_config(store.path()));
    let Caller { runtime, mut client, .. } = caller(&server);
    let vectors: Vec<Vec<f32>> =
        (0..20).map(|seed| server.embed(&serde_json::json!({"input": base64(&png(seed))})).concat()).collect();
    runtime.block_on(async {
        let requests = (0..20).map(|seed| {
            let image = if seed == 7 { b"nothing".to_vec() } else { png(seed) };
            ModelInferRequest { id: seed.to_string(), ..images(&[image]) }
        });
        let requests: Vec<_> = requests.collect();
        let mut answers = client.model_stream_infer(stream::iter(requests)).await.unwrap().into_inner();
        for (seed, vector) in vectors.iter().enumerate() {
            let answer = answers.message().await.unwrap().unwrap();
            let response = answer.infer_response.unwrap();
            assert_eq!(response.id, seed.to_string());
            if seed == 7 {
                assert!(answer.error_message.contains("image 0"), "{}", answer.error_message);
            } else {
                assert_eq!(answer.error_message, "");
                assert_close(&numbers(&response, 0), vector, "stream");
            }
        }
        assert!(answers.message().await.unwrap().is_none(), "the stream ends with its requests");
    });
}

#[test]
fn a_watched_health_is_told_whenever_it_changes() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { drain_delay_ms: 2000, ..grpc_config(store.path()) });
    let Caller { runtime, channel, .. } = caller(&server);
    let watch = |service: &str| {
        let request = HealthCheckRequest { service: service.into() };
        runtime.block_on(HealthClient::new(channel.clone()).watch(request)).unwrap().into_inner()
    };
    let (mut ours, mut nobody) = (watch("inference.GRPCInferenceService"), watch("inference"));
    runtime.block_on(async {
        let told = async |health: &mut Streaming<HealthCheckResponse>| {
            health.message().await.unwrap().map(|response| response.status())
        };
        assert_eq!(told(&mut nobody).await, Some(ServingStatus::ServiceUnknown));
        assert_eq!(told(&mut ours).await, Some(ServingStatus::Serving));
        server.stopper.stop();
        assert_eq!(told(&mut ours).await, Some(ServingStatus::NotServing));
        assert_eq!(told(&mut ours).await, None, "the stream ends with the server");
    });
}

#[test]
fn calls_in_flight_are_finished_and_open_streams_end_before_the_server_does() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { drain_timeout_ms: DRAIN_MS, ..slow(store.path()) });
    let Caller { runtime, mut client, .. } = caller(&server);
    let stopper = server.stopper.clone();
    let start = runtime.block_on(async {
        let open = stream::iter([images(&[png(1)])]).chain(stream::pending());
        let mut answers = client.model_stream_infer(open).await.unwrap().into_inner();
        assert_eq!(answers.message().await.unwrap().unwrap().error_message, "");
        let mut other = client.clone();
        let many: Vec<Vec<u8>> = (0..6).map(png).collect();
        let asking = tokio::spawn(async move { other.model_infer(images(&many)).await });
        while server.metric(DONE) < 2.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stopper.stop();
        assert_eq!(asking.await.unwrap().unwrap().into_inner().outputs[0].shape[0], 6);
        let start = Instant::now();
        assert!(answers.message().await.unwrap().is_none(), "the server ends the stream");
        start
    });
    server.join().unwrap();
    assert!(start.elapsed() < Duration::from_millis(DRAIN_MS / 2), "an open stream does not hold up the end");
}
