//! candle_embed MODEL CARD IMAGE: prints the embedding.

use candle_core::{Device, Tensor};
use embed::{Card, Error, arguments};
use std::collections::HashMap;

fn main() -> Result<(), Error> {
    let [model, about, image] = arguments()?;
    let card = Card::read(&about)?;
    let (values, shape) = card.prepare(&image)?;
    let images = Tensor::from_vec(values, shape.as_slice(), &Device::Cpu)?;
    let found = candle_onnx::simple_eval(&candle_onnx::read_file(model)?, HashMap::from([(card.input.name, images)]))?;
    println!("{:?}", found[&card.outputs.embedding.name].get(0)?.to_vec1::<f32>()?);
    Ok(())
}
