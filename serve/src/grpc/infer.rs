//! `ModelInfer`: tensors in, tensors out, on the same way as in REST.

use super::parameters::whole;
use super::proto::inference::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use super::proto::inference::model_infer_response::InferOutputTensor;
use super::proto::inference::{InferTensorContents, ModelInferRequest, ModelInferResponse};
use super::service::version;
use super::terms;
use crate::Error;
use crate::app::App;
use crate::engine::{Answers, Laps, Served, Timing};
use crate::metrics::Stage;
use crate::protocol::{self, Choice, Data, Input, Wanted};
use crate::trace::Context;
use actix_web::web::Bytes;
use std::time::Instant;
use tonic::metadata::MetadataMap;

/// Answers one request, which has a span when it is traced.
///
/// # Errors
/// What is wrong with the request, or what kept the model from answering.
pub async fn infer(
    app: &App,
    metadata: &MetadataMap,
    trace: Option<Context>,
    request: ModelInferRequest,
) -> Result<(ModelInferResponse, Timing), Error> {
    let found = protocol::route(&app.engine, &request.model_name, version(&request.model_version));
    let (served, tracked) = app.track(found, "infer")?;
    let mut laps = Laps::start();
    let result = async {
        let wanted = request.outputs.into_iter().map(wanted).collect::<Result<Vec<_>, _>>()?;
        let choices = protocol::choose(&served, &wanted)?;
        let tensor = input(&served, request.inputs, request.raw_input_contents)?.tensor(&served)?;
        let whole = |name| whole(&request.parameters, name);
        let terms = terms::terms(&app.config, metadata, whole("timeout")?, whole("priority")?, trace)?;
        laps.lap(Stage::Parse);
        Ok((choices, tensor.run(&served, terms).await?))
    };
    let (choices, answers) = tracked.end(result.await)?;
    let start = Instant::now();
    let response = response(&served, request.id, &choices, &answers);
    let timing = laps.timing.max(answers.timing).with(Stage::Encode, start.elapsed());
    timing.count(&served.metrics);
    Ok((response, timing))
}

fn wanted(output: InferRequestedOutputTensor) -> Result<Wanted, Error> {
    let classes = whole(&output.parameters, "classification")?;
    // More classes than a number holds are all classes.
    let classes = classes.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    Ok(Wanted { name: output.name, classes })
}

/// The one input, with its elements from `contents` or from the raw contents.
fn input(served: &Served, inputs: Vec<InferInputTensor>, raw: Vec<Bytes>) -> Result<Input, Error> {
    let wrong = |reason: String| Err(Error::invalid("inputs", reason));
    let InferInputTensor { name, datatype, shape, contents, .. } = protocol::only(served, inputs)?;
    let data = match (contents, <[Bytes; 1]>::try_from(raw)) {
        (Some(_), Ok(_)) => return wrong("the tensor is in both contents and raw_input_contents".into()),
        (None, Ok([raw])) => Data::Raw(raw),
        (_, Err(raw)) if !raw.is_empty() => {
            return wrong(format!("raw_input_contents holds {} tensors, inputs one", raw.len()));
        }
        (None, Err(_)) => return wrong("the tensor is in neither contents nor raw_input_contents".into()),
        (Some(contents), Err(_)) => typed(&datatype, contents),
    };
    Ok(Input { name, shape, datatype, data })
}

/// The elements in the field of the type. Types that no model takes are refused with the tensor.
fn typed(datatype: &str, contents: InferTensorContents) -> Data {
    match datatype {
        "BYTES" => Data::Images(contents.bytes_contents),
        "UINT8" => Data::Numbers(contents.uint_contents.into_iter().map(f64::from).collect()),
        _ => Data::Numbers(contents.fp32_contents.into_iter().map(f64::from).collect()),
    }
}

fn response(served: &Served, id: String, choices: &[Choice], answers: &Answers) -> ModelInferResponse {
    let mut response = ModelInferResponse {
        model_name: served.name.clone(),
        model_version: served.version.to_string(),
        id,
        ..ModelInferResponse::default()
    };
    for choice in choices {
        let output = choice.output(served, answers);
        let mut raw = Vec::new();
        output.values.append_to(&mut raw);
        response.raw_output_contents.push(raw.into());
        response.outputs.push(InferOutputTensor {
            name: output.name.to_owned(),
            datatype: output.datatype.to_owned(),
            shape: output.shape.map(|side| side as i64).to_vec(),
            ..InferOutputTensor::default()
        });
    }
    response
}
