//! ort_embed MODEL CARD IMAGE: prints the embedding. ORT_DYLIB_PATH names ONNX Runtime's shared library, as
//! `selfie runtime list --path` prints it.

use embed::{Card, Error, arguments};
use ort::session::Session;
use ort::value::Tensor;

fn main() -> Result<(), Error> {
    let [model, about, image] = arguments()?;
    let card = Card::read(&about)?;
    let (values, shape) = card.prepare(&image)?;
    let environment = ort::init_from(std::env::var("ORT_DYLIB_PATH")?)?.with_telemetry(false).build()?;
    let mut session = Session::builder(&environment)?.commit_from_file(model)?;
    let found = session.run(ort::inputs![&card.input.name => Tensor::from_array((shape, values))?])?;
    let (_, embedding) = found[card.outputs.embedding.name.as_str()].try_extract_tensor::<f32>()?;
    println!("{embedding:?}");
    Ok(())
}
