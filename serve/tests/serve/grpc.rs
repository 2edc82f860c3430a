use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use futures_util::stream;
use selfie_models::card::InputDtype;
use selfie_serve::Config;
use selfie_serve::grpc::proto::health::HealthCheckRequest;
use selfie_serve::grpc::proto::health::health_client::HealthClient;
use selfie_serve::grpc::proto::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use selfie_serve::grpc::proto::inference::infer_parameter::ParameterChoice;
use selfie_serve::grpc::proto::inference::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use selfie_serve::grpc::proto::inference::*;
use serde_json::json;
use std::path::Path;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

/// A client and what it runs on.
pub struct Caller {
    pub runtime: Runtime,
    pub client: GrpcInferenceServiceClient<Channel>,
    pub channel: Channel,
}

pub fn grpc_config(store: &Path) -> Config {
    Config { grpc_port: Some(0), ..config(store) }
}

pub fn caller(server: &Running) -> Caller {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{}", server.grpc_addr.unwrap())).unwrap();
    let channel = runtime.block_on(endpoint.connect()).unwrap();
    Caller { runtime, client: GrpcInferenceServiceClient::new(channel.clone()), channel }
}

impl Caller {
    pub fn infer(
        &mut self,
        request: impl tonic::IntoRequest<ModelInferRequest>,
    ) -> Result<ModelInferResponse, tonic::Status> {
        let answer = self.runtime.block_on(self.client.model_infer(request));
        answer.map(tonic::Response::into_inner)
    }
}

/// A request for `net` with one tensor in typed contents.
pub fn request(datatype: &str, shape: &[i64], contents: InferTensorContents) -> ModelInferRequest {
    let input = InferInputTensor {
        name: "pixel_values".into(),
        datatype: datatype.into(),
        shape: shape.to_vec(),
        contents: Some(contents),
        ..Default::default()
    };
    ModelInferRequest { model_name: "net".into(), inputs: vec![input], ..Default::default() }
}

/// A request for `net` with encoded images.
pub fn images(images: &[Vec<u8>]) -> ModelInferRequest {
    let bytes_contents = images.iter().map(|image| image.clone().into()).collect();
    request("BYTES", &[images.len() as i64], InferTensorContents { bytes_contents, ..Default::default() })
}

pub fn parameter(choice: ParameterChoice) -> InferParameter {
    InferParameter { parameter_choice: Some(choice) }
}

/// The numbers of a raw output.
pub fn numbers(response: &ModelInferResponse, output: usize) -> Vec<f32> {
    let raw = response.raw_output_contents[output].as_chunks::<4>().0;
    raw.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[test]
fn typed_contents_give_the_numbers_of_rest() {
    let bytes = Network { dtype: InputDtype::U8, ..Network::default() };
    let store = store(&[("net", Network::default()), ("bytes", bytes.clone())]);
    let server = serve(grpc_config(store.path()));
    let mut caller = caller(&server);
    let floats: Vec<f32> = (0..2 * 192).map(|index| (index % 17) as f32 / 8.0 - 1.0).collect();
    let contents = InferTensorContents { fp32_contents: floats.clone(), ..Default::default() };
    let answer =
        caller.infer(ModelInferRequest { id: "7".into(), ..request("FP32", &[2, 3, 8, 8], contents) }).unwrap();
    assert_eq!((answer.id.as_str(), answer.model_name.as_str(), answer.model_version.as_str()), ("7", "net", "1"));
    for (index, (name, shape, values)) in Network::default().eval(&floats, 2).iter().enumerate() {
        let output = &answer.outputs[index];
        assert_eq!((output.name.as_str(), output.datatype.as_str()), (name.as_str(), "FP32"));
        assert!(output.shape.iter().map(|side| *side as usize).eq(shape.iter().copied()), "{output:?}");
        assert_close(&numbers(&answer, index), values, name);
    }
    let uint_contents: Vec<u32> = (0..192).collect();
    let contents = InferTensorContents { uint_contents, ..Default::default() };
    let answer =
        caller.infer(ModelInferRequest { model_name: "bytes".into(), ..request("UINT8", &[1, 3, 8, 8], contents) });
    let values: Vec<f32> = (0..192).map(|value| value as f32).collect();
    assert_close(&numbers(&answer.unwrap(), 0), &bytes.eval(&values, 1)[0].2, "UINT8");
    let encoded = [png(1), jpeg(2)];
    let vectors = server.embed(&json!({"model": "net", "input": encoded.each_ref().map(|image| base64(image))}));
    assert_close(&numbers(&caller.infer(images(&encoded)).unwrap(), 0), &vectors.concat(), "BYTES");
    assert_eq!(server.metric("selfie_grpc_requests_total{code=\"Ok\",method=\"ModelInfer\"}"), 3.0);
    let line = "selfie_requests_total{api=\"infer\",model=\"net\",outcome=\"ok\",version=\"1\"}";
    assert_eq!(server.metric(line), 2.0, "gRPC and REST count alike");
}

#[test]
fn a_message_of_very_many_parts_is_not_read() {
    let store = store(&[("net", Network::default())]);
    let server = serve(grpc_config(store.path()));
    let mut caller = caller(&server);
    for (count, expected) in [(1000, "at most 128"), (300_000, "more than 262144 parts")] {
        let status = caller.infer(images(&vec![vec![]; count])).unwrap_err();
        assert!(status.code() == Code::OutOfRange && status.message().contains(expected), "{count}: {status}");
    }
}

#[test]
fn a_wrong_request_gets_a_code_and_what_is_wrong() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { max_body_bytes: 10_000, max_request_items: 2, ..grpc_config(store.path()) });
    let mut caller = caller(&server);
    let good = || images(&[png(1)]);
    let raw = || vec![vec![0u8; 768].into()];
    let contents = |count| InferTensorContents { fp32_contents: vec![0.0; count], ..Default::default() };
    let output = |name: &str, choice| InferRequestedOutputTensor {
        name: name.into(),
        parameters: [("classification".to_owned(), parameter(choice))].into(),
    };
    let with = |change: fn(&mut ModelInferRequest)| {
        let mut request = good();
        change(&mut request);
        request
    };
    let (whole, text) = (ParameterChoice::Int64Param, |text: &str| ParameterChoice::StringParam(text.into()));
    let timeout = |choice| [("timeout".to_owned(), parameter(choice))].into();
    let invalid = Code::InvalidArgument;
    let cases = [
        (with(|request| request.model_name = "nobody".into()), Code::NotFound, "here are: net"),
        (with(|request| request.model_name.clear()), Code::NotFound, "here are: net"),
        (with(|request| request.model_version = "2".into()), Code::NotFound, "version 1 is served"),
        (with(|request| request.model_version = "new".into()), invalid, "not a whole number"),
        (with(|request| request.inputs.clear()), invalid, "exactly one tensor"),
        (with(|request| request.inputs[0].name = "x".into()), invalid, "\"x\" is unknown"),
        (with(|request| request.inputs[0].contents = None), invalid, "neither contents nor"),
        (with(|request| request.inputs[0].datatype = "FP64".into()), invalid, "takes FP32"),
        (with(|request| request.inputs[0].shape = vec![2]), invalid, "holds 1 elements"),
        (ModelInferRequest { raw_input_contents: raw(), ..good() }, invalid, "both contents and"),
        (ModelInferRequest { raw_input_contents: [raw(), raw()].concat(), ..good() }, invalid, "holds 2 tensors"),
        (request("FP32", &[1, 3, 8, 8], contents(191)), invalid, "191 numbers"),
        (request("FP32", &[1, 3, 8, 9], contents(192)), invalid, "takes [batch, 3, 8, 8]"),
        (request("FP32", &[i64::MAX, 3, 8, 8], contents(192)), invalid, "192 numbers"),
        (request("FP32", &[-1, 3, 8, 8], contents(192)), invalid, "takes [batch, 3, 8, 8]"),
        (images(&[b"nothing".to_vec()]), invalid, "image 0"),
        (images(&[png(1), png(2), png(3)]), Code::OutOfRange, "at most 2"),
        (images(&[vec![0; 10_000]]), Code::OutOfRange, "10000 bytes"),
        (ModelInferRequest { outputs: vec![output("x", whole(1))], ..good() }, invalid, "\"x\" is unknown"),
        (ModelInferRequest { outputs: vec![output("logits", whole(0))], ..good() }, invalid, "at least 1"),
        (ModelInferRequest { outputs: vec![output("logits", whole(1)); 2], ..good() }, invalid, "asked for twice"),
        (ModelInferRequest { outputs: vec![output("logits", text("2"))], ..good() }, invalid, "classification must be"),
        (ModelInferRequest { parameters: timeout(whole(-1)), ..good() }, invalid, "timeout must be"),
    ];
    for (request, code, expected) in cases {
        let status = caller.infer(request).unwrap_err();
        assert!(status.code() == code && status.message().contains(expected), "{expected:?}: {status:?}");
    }
    assert!(caller.infer(good()).is_ok(), "the server lives");
}

#[test]
fn keys_open_inference_and_administration_apart() {
    let store = store(&[("net", Network::default())]);
    let keys = tempfile::tempdir().unwrap();
    let file = |name: &str, key: &str| {
        let path = keys.path().join(name);
        std::fs::write(&path, key).unwrap();
        Some(path)
    };
    let (api_keys, admin_keys) = (file("api", "user"), file("admin", "root"));
    let server = serve(Config { admin: true, api_keys, admin_keys, ..grpc_config(store.path()) });
    let Caller { runtime, client, channel } = caller(&server);
    fn keyed<T>(message: T, key: Option<&str>) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(key) = key {
            request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        }
        request
    }
    let tried = [None, Some("user"), Some("root"), Some("x")];
    let (ok, unknown) = (Code::Ok, Code::Unauthenticated);
    runtime.block_on(async {
        let codes = |results: Vec<Result<(), tonic::Status>>| -> Vec<Code> {
            results.into_iter().map(|result| result.map_or_else(|status| status.code(), |()| ok)).collect()
        };
        let (mut infer, mut load, mut ready) = (vec![], vec![], vec![]);
        for key in tried {
            let mut client = client.clone();
            infer.push(client.model_infer(keyed(images(&[png(1)]), key)).await.map(drop));
            let request = RepositoryModelLoadRequest { model_name: "net".into(), ..Default::default() };
            load.push(client.repository_model_load(keyed(request, key)).await.map(drop));
            ready.push(client.server_ready(keyed(ServerReadyRequest {}, key)).await.map(drop));
        }
        assert_eq!(codes(infer), [unknown, ok, ok, unknown]);
        assert_eq!(codes(load), [unknown, Code::PermissionDenied, ok, unknown]);
        assert_eq!(codes(ready), [ok; 4]);
        let health = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
        assert_eq!(health.unwrap().into_inner().status, 1, "a probe needs no key");
    });
}

#[test]
fn every_answer_carries_the_request_s_id_and_its_times() {
    let store = store(&[("net", Network::default())]);
    let server = serve(grpc_config(store.path()));
    let Caller { runtime, mut client, .. } = caller(&server);
    let mut request = Request::new(images(&[png(1)]));
    request.metadata_mut().insert("x-request-id", "shop-7".parse().unwrap());
    let answer = runtime.block_on(client.model_infer(request)).unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "shop-7");
    let timing = answer.metadata().get("server-timing").unwrap().to_str().unwrap();
    assert!(timing.contains("infer;dur=") && timing.contains(", total;dur="), "{timing}");
    let status = runtime.block_on(client.model_infer(ModelInferRequest::default())).unwrap_err();
    assert!(!status.metadata().get("x-request-id").unwrap().is_empty(), "a new one");
    assert!(status.metadata().get("server-timing").unwrap().to_str().unwrap().starts_with("total;dur="));
}

#[test]
fn the_health_check_knows_the_service_and_no_other() {
    let store = store(&[("net", Network::default())]);
    super::refusal::liar(&store.path().join("liar/1/model.onnx"));
    let server = serve(grpc_config(store.path()));
    let Caller { runtime, channel, .. } = caller(&server);
    let check = |service: &str| {
        let request = HealthCheckRequest { service: service.into() };
        runtime.block_on(HealthClient::new(channel.clone()).check(request)).map(|answer| answer.into_inner().status)
    };
    for service in ["", "inference.GRPCInferenceService"] {
        assert_eq!(check(service).unwrap(), 2, "a model is refused, so the server is not ready");
    }
    assert_eq!(check("inference").unwrap_err().code(), Code::NotFound);
}

#[test]
fn the_services_describe_themselves() {
    let store = store(&[("net", Network::default())]);
    let server = serve(grpc_config(store.path()));
    let Caller { runtime, channel, .. } = caller(&server);
    let ask = |message_request: MessageRequest| {
        let request = ServerReflectionRequest { message_request: Some(message_request), ..Default::default() };
        let mut client = ServerReflectionClient::new(channel.clone());
        let answer = runtime.block_on(async {
            let answers = client.server_reflection_info(stream::iter([request])).await.unwrap();
            answers.into_inner().message().await.unwrap()
        });
        answer.unwrap().message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(list) = ask(MessageRequest::ListServices(String::new())) else {
        panic!()
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in ["inference.GRPCInferenceService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
        let files = ask(MessageRequest::FileContainingSymbol(name.into()));
        assert!(matches!(files, MessageResponse::FileDescriptorResponse(_)), "{files:?}");
    }
    assert!(!names.iter().any(|name| name.contains("Trace")), "{names:?}");
}

#[test]
fn without_a_port_there_is_no_grpc() {
    let store = store(&[("net", Network::default())]);
    assert_eq!(serve(config(store.path())).grpc_addr, None);
}
