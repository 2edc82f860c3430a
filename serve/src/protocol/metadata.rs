//! Names, types and shapes: of the server, of a model's inputs and outputs.

use crate::engine::{Engine, Served};
use selfie_models::card::InputDtype;
use serde::Serialize;

/// Extensions of the protocol: Triton's, and `image_bytes`, which takes encoded images as BYTES.
const EXTENSIONS: [&str; 8] = [
    "binary_tensor_data",
    "classification",
    "logging",
    "model_configuration",
    "model_repository",
    "statistics",
    "trace",
    "image_bytes",
];

/// Name, version and extensions of the server.
#[derive(Serialize)]
pub struct ServerMetadata {
    /// The server's name.
    pub name: &'static str,
    /// The server's version.
    pub version: &'static str,
    /// The extensions that it has.
    pub extensions: [&'static str; 8],
}

/// The description of a model.
#[derive(Serialize)]
pub struct ModelMetadata<'a> {
    /// The model's name.
    pub name: &'a str,
    /// The versions that answer.
    pub versions: Vec<String>,
    /// The runtime and the kind of file.
    pub platform: String,
    /// The inputs.
    pub inputs: [TensorMetadata<'a>; 1],
    /// The outputs.
    pub outputs: Vec<TensorMetadata<'a>>,
}

/// The description of an input or an output.
#[derive(Serialize)]
pub struct TensorMetadata<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type, in the protocol's words.
    pub datatype: &'static str,
    /// Its shape; -1 stands for any size.
    pub shape: Vec<i64>,
}

/// The protocol's name of the type of a model's input.
pub fn datatype(dtype: InputDtype) -> &'static str {
    match dtype {
        InputDtype::F32 => "FP32",
        InputDtype::U8 => "UINT8",
    }
}

/// Describes the server.
pub fn server_metadata() -> ServerMetadata {
    ServerMetadata { name: "selfie", version: env!("CARGO_PKG_VERSION"), extensions: EXTENSIONS }
}

/// Describes a version, and names those of its model that `engine` serves.
pub fn model_metadata<'a>(engine: &Engine, served: &'a Served) -> ModelMetadata<'a> {
    let versions = engine.serving(&served.name).map_or(vec![served.version], |serving| serving.numbers());
    let file = &served.model.file;
    let card = &file.card;
    let batch = file.fixed_batch.map_or(-1, |batch| batch as i64);
    let shape = |sides: &[usize]| [batch].into_iter().chain(sides.iter().map(|side| *side as i64)).collect();
    let [_, sides @ ..] = card.input.shape(0);
    let input = TensorMetadata { name: &card.input.name, datatype: datatype(card.input.dtype), shape: shape(&sides) };
    let output = |(name, width)| TensorMetadata { name, datatype: "FP32", shape: shape(&[width]) };
    ModelMetadata {
        name: &served.name,
        versions: versions.iter().map(u64::to_string).collect(),
        platform: served.platform(),
        inputs: [input],
        outputs: file.output_names().into_iter().zip(file.output_widths()).map(output).collect(),
    }
}
